namespace Kist.Measurement.Sev;

/// <summary>SEV_FEATURES of the VMSA (AMD APM vol. 2, table B-4).</summary>
[Flags]
public enum SevFeatures : ulong
{
#pragma warning disable CS1591 // The names are the manual's.
    None = 0,
    SnpActive = 1 << 0,
    VTom = 1 << 1,
    ReflectVc = 1 << 2,
    RestrictedInjection = 1 << 3,
    AlternateInjection = 1 << 4,
    DebugSwap = 1 << 5,
    PreventHostIbs = 1 << 6,
    BtbIsolation = 1 << 7,
    VmplSss = 1 << 8,
    SecureTsc = 1 << 9,
    VmgexitParameter = 1 << 10,
    IbsVirtualization = 1 << 12,
    VmsaRegisterProtection = 1 << 14,
    SmtProtection = 1 << 15,
#pragma warning restore CS1591
}
