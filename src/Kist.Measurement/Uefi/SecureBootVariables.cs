using System.Collections.Immutable;

namespace Kist.Measurement.Uefi;

/// <summary>
/// The variables that firmware measures as the Secure Boot configuration. A variable that does not exist is measured as
/// empty.
/// </summary>
/// <param name="SecureBoot">One byte, 1 if Secure Boot is on; empty where the firmware has none.</param>
/// <param name="PlatformKey">PK.</param>
/// <param name="KeyExchangeKeys">KEK.</param>
/// <param name="Allowed">db.</param>
/// <param name="Forbidden">dbx.</param>
public sealed record SecureBootVariables(
    ReadOnlyMemory<byte> SecureBoot, ReadOnlyMemory<byte> PlatformKey, ReadOnlyMemory<byte> KeyExchangeKeys, ReadOnlyMemory<byte> Allowed, ReadOnlyMemory<byte> Forbidden)
{
    private static readonly Guid SecureBootEnableVendor = new("f0a30bc7-af08-4556-99c4-001009c93a44");

    /// <summary>No keys, and no variable SecureBoot.</summary>
    public static SecureBootVariables None { get; } = new(default, default, default, default, default);

    /// <summary>
    /// What firmware will find with these variables. SecureBoot itself is not stored: EDK II makes it of PK and of
    /// SecureBootEnable.
    /// </summary>
    /// <param name="stored">The stored variables.</param>
    /// <param name="supportsSecureBoot">True if the firmware was built with Secure Boot, so that the variable exists.</param>
    public static SecureBootVariables Of(ImmutableArray<StoredVariable> stored, bool supportsSecureBoot)
    {
        ReadOnlyMemory<byte> Find(Guid vendor, string name) => stored.FirstOrDefault(v => v.Vendor == vendor && v.Name == name)?.Data ?? default;
        var platformKey = Find(EfiVariable.GlobalVariable, "PK");
        var enabled = Find(SecureBootEnableVendor, "SecureBootEnable") is { Length: 1 } e ? e.Span[0] == 1 : !platformKey.IsEmpty;
        return new SecureBootVariables(
            supportsSecureBoot ? new byte[] { enabled && !platformKey.IsEmpty ? (byte)1 : (byte)0 } : default,
            platformKey,
            Find(EfiVariable.GlobalVariable, "KEK"),
            Find(EfiVariable.ImageSecurityDatabase, "db"),
            Find(EfiVariable.ImageSecurityDatabase, "dbx"));
    }
}
