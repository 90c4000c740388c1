namespace Kist.Measurement.Sev;

/// <summary>Whose virtual machine monitor starts the guest; they set processors and pages up differently.</summary>
public enum VmmType
{
    /// <summary>QEMU on KVM.</summary>
    Qemu,

    /// <summary>Amazon EC2.</summary>
    Ec2,

    /// <summary>Google Compute Engine.</summary>
    Gce,
}
