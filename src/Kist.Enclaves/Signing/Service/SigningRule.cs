using System.Collections.Immutable;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Signing.Service;

/// <summary>One thing that may be signed. What is not said here is not allowed.</summary>
public sealed record SigningRule
{
    private const EnclaveTraits Usual = EnclaveTraits.Mode64Bit | EnclaveTraits.Kss;
    private const ulong UsualState = 0xe7;

    /// <summary>Names of the callers.</summary>
    public required ImmutableArray<string> Callers { get; init; }

    /// <summary>Values of ISVPRODID.</summary>
    public required ImmutableArray<ushort> Products { get; init; }

    /// <summary>Least ISVSVN: an older version, with faults that are known, is not signed again.</summary>
    public ushort MinimumVersion { get; init; }

    /// <summary>Greatest ISVSVN.</summary>
    public required ushort MaximumVersion { get; init; }

    /// <summary>ATTRIBUTES.FLAGS that may be set, as a number. Without more: MODE64BIT and KSS.</summary>
    public ulong? Flags { get; init; }

    /// <summary>ATTRIBUTES.XFRM that may be set, as a number. Without more: x87, SSE, AVX and AVX-512.</summary>
    public ulong? Xfrm { get; init; }

    /// <summary>MISCSELECT bits that may be set.</summary>
    public uint MiscSelect { get; init; }

    /// <summary>Values of ISVFAMILYID (32 hexadecimal digits). None: it must be zero.</summary>
    public ImmutableArray<string> Families { get; init; }

    /// <summary>Values of ISVEXTPRODID (32 hexadecimal digits). None: it must be zero.</summary>
    public ImmutableArray<string> ExtendedProducts { get; init; }

    /// <summary>Values of ENCLAVEHASH (64 hexadecimal digits): this very enclave. None: any, which leaves the choice to the caller.</summary>
    public ImmutableArray<string> Enclaves { get; init; }

    /// <summary>True to sign for debugging: such an enclave protects nothing.</summary>
    public bool Debug { get; init; }

    /// <summary>Why this rule does not allow a caller to have something signed; null if it does.</summary>
    public string? FindObstacle(string caller, SigstructFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var (mayFlags, mayXfrm) = (Flags ?? (ulong)Usual, Xfrm ?? UsualState);
        var flags = fields.Attributes.Flags & ~(Debug ? EnclaveTraits.Debug : 0);
        if (!Callers.Contains(caller))
            return "it is another caller's";
        if (fields.Vendor != 0)
            return $"VENDOR is 0x{fields.Vendor:x}, which is not ours to use";
        if (!Debug && (fields.IsDebugType || fields.Attributes.IsDebug))
            return "it is for debugging";
        // Without DEBUG in the mask whoever loads the enclave may set it.
        if (!Debug && !fields.AttributeMask.IsDebug)
            return "ATTRIBUTEMASK leaves DEBUG to whoever loads the enclave";
        if (!Products.Contains(fields.IsvProdId))
            return $"ISVPRODID {fields.IsvProdId} is not among its products";
        if (fields.IsvSvn < MinimumVersion || fields.IsvSvn > MaximumVersion)
            return $"ISVSVN {fields.IsvSvn} is not from {MinimumVersion} to {MaximumVersion}";
        if (((ulong)flags & ~mayFlags) != 0)
            return $"ATTRIBUTES.FLAGS 0x{(ulong)flags:x} has more than 0x{mayFlags:x}";
        // A flag that may not be set must be enforced to be clear as well.
        if ((~(ulong)fields.AttributeMask.Flags & ~mayFlags & (ulong)(EnclaveTraits.ProvisionKey | EnclaveTraits.EInitTokenKey)) != 0)
            return "ATTRIBUTEMASK leaves PROVISIONKEY or EINITTOKENKEY to whoever loads the enclave";
        if ((fields.Attributes.Xfrm & ~mayXfrm) != 0)
            return $"ATTRIBUTES.XFRM 0x{fields.Attributes.Xfrm:x} has more than 0x{mayXfrm:x}";
        if ((fields.MiscSelect & ~MiscSelect) != 0)
            return $"MISCSELECT 0x{fields.MiscSelect:x} has more than 0x{MiscSelect:x}";
        if ((~fields.MiscMask & ~MiscSelect) != 0)
            return $"MISCMASK 0x{fields.MiscMask:x} leaves MISCSELECT to whoever loads the enclave";
        if (!IsAmong(Families, fields.IsvFamilyId, zeroIfNone: true))
            return "ISVFAMILYID is not among its families";
        if (!IsAmong(ExtendedProducts, fields.IsvExtProdId, zeroIfNone: true))
            return "ISVEXTPRODID is not among its extended products";
        return IsAmong(Enclaves, fields.EnclaveHash, zeroIfNone: false) ? null : "ENCLAVEHASH is not among its enclaves";
    }

    internal void CheckIdentifiers()
    {
        foreach (var (values, digits) in new[] { (Families, 32), (ExtendedProducts, 32), (Enclaves, 64) })
        {
            if (!values.IsDefault && values.FirstOrDefault(v => v.Length != digits || !v.All(char.IsAsciiHexDigitLower)) is { } wrong)
                throw new MalformedDataException("signing policy", -1, $"\"{wrong}\" is not {digits} hexadecimal digits in lower case");
        }
    }

    private static bool IsAmong(ImmutableArray<string> values, ReadOnlyMemory<byte> field, bool zeroIfNone) =>
        values.IsDefaultOrEmpty ? !zeroIfNone || field.Span.IndexOfAnyExcept((byte)0) < 0 : values.Contains(Convert.ToHexStringLower(field.Span));
}
