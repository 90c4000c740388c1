using Kist.Attestation.Dcap;
using Kist.Formats;

namespace Kist.Attestation.Sgx;

/// <summary>
/// A quote of the earlier kind, signed by a group key (EPID). Intel's attestation service, which alone could check the
/// signature, has been shut down (April 2025): such a quote proves nothing any more. It is read to say so.
/// <code>
///   0   2  version: 1 or 2                             Intel SGX SDK, sgx_quote.h
///   2   2  signature type: 0 unlinkable, 1 linkable
///   4   4  EPID group
///   8   2  QE SVN
///  10   2  PCE SVN
///  12   4  extended EPID group
///  16  32  base name
///  48 384  REPORTBODY
/// 432   4  bytes of the signature, which follows, encrypted for Intel's service
/// </code>
/// </summary>
public sealed record EpidQuote
{
    /// <summary>Bytes before the signature.</summary>
    public const int HeaderSize = 436;

    private const string Name = "EPID quote";
    private const int MaxSignatureSize = 64 * 1024;

    /// <summary>1 or 2.</summary>
    public required int Version { get; init; }

    /// <summary>True if quotes of one platform for one verifier can be told to be of the same platform.</summary>
    public required bool IsLinkable { get; init; }

    /// <summary>The group of platforms that share a public key.</summary>
    public required uint Group { get; init; }

    /// <summary>What the quote says of the enclave; nothing vouches for it.</summary>
    public required EnclaveReport Report { get; init; }

    /// <summary>True if a quote begins like one of this kind. Never throws.</summary>
    public static bool LooksLikeQuote(ReadOnlySpan<byte> quote) => quote is [1 or 2, 0, 0 or 1, 0, ..] && quote.Length >= HeaderSize;

    /// <summary>Parses a quote.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static EpidQuote Parse(ReadOnlyMemory<byte> quote)
    {
        if (quote.Length < HeaderSize)
            throw new MalformedDataException(Name, -1, $"{quote.Length} bytes, fewer than {HeaderSize}");
        var cursor = new SpanCursor(quote.Span, Name);
        var version = cursor.ReadUInt16LittleEndian();
        if (version is not (1 or 2))
            throw new MalformedDataException(Name, 0, $"version {version} is not one of EPID (1 and 2 are)");
        var signatureType = cursor.ReadUInt16LittleEndian();
        if (signatureType > 1)
            throw new MalformedDataException(Name, 2, $"signature type {signatureType} is not known");
        var group = cursor.ReadUInt32LittleEndian();
        cursor.ReadBytes(40);
        var report = EnclaveReport.Parse(quote.Slice(cursor.Position, EnclaveReport.Size));
        cursor.ReadBytes(EnclaveReport.Size);
        var length = cursor.ReadUInt32LittleEndian();
        if (length > MaxSignatureSize || length != cursor.Remaining)
            throw new MalformedDataException(Name, 432, $"a signature of {length} bytes where {cursor.Remaining} follow");
        return new EpidQuote { Version = version, IsLinkable = signatureType == 1, Group = group, Report = report };
    }

    /// <summary>Why no verifier accepts it.</summary>
    public string Refusal() =>
        $"it is an EPID quote (version {Version}, {(IsLinkable ? "linkable" : "unlinkable")}, group {Group:x8}), which proves nothing any more: " +
        "Intel has shut the service down that alone could check it; have the enclave make an ECDSA quote (DCAP)";
}
