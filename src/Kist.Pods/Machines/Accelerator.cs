namespace Kist.Pods.Machines;

/// <summary>What executes the guest's instructions.</summary>
public enum Accelerator
{
    /// <summary>QEMU's translator: works everywhere, slowly.</summary>
    Tcg,

    /// <summary>The host's hardware virtualisation.</summary>
    Kvm,
}
