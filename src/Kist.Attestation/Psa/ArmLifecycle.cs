namespace Kist.Attestation.Psa;

/// <summary>The security lifecycle of a PSA root of trust or CCA platform, in the high byte (RFC 9783 section 4.3.1).</summary>
internal static class ArmLifecycle
{
    /// <summary>Firmware outside the root of trust may be debugged; its own claims still hold.</summary>
    public static bool IsTrustworthy(int value) => (value >> 8) is 0x30 or 0x40;

    /// <summary>The root of trust itself may be debugged, or was.</summary>
    public static bool IsDebug(int value) => (value >> 8) is 0x50;

    public static string Name(int value) => (value >> 8) switch
    {
        0x00 => "unknown",
        0x10 => "assembly and test",
        0x20 => "provisioning",
        0x30 => "secured",
        0x40 => "debug outside the root of trust",
        0x50 => "recoverable debug of the root of trust",
        0x60 => "decommissioned",
        _ => "not defined",
    };

    public static void Check(int value, string id, string spec, VerdictBuilder verdict)
    {
        verdict.IsDebug |= IsDebug(value);
        verdict.Check(id, IsTrustworthy(value) || IsDebug(value), "the platform must be in a lifecycle state in which its keys are protected",
            "secured (3000h–30ffh), or debug outside the root of trust (4000h–40ffh)", $"{value:x4}h, {Name(value)}",
            "use a device that has been provisioned and locked", spec);
    }
}
