using System.Formats.Cbor;
using System.Globalization;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.RaTls;

/// <summary>
/// Evidence in the form in which RA-TLS certificates carry it ("Interoperable RA-TLS", extension tcg-dice-tagged-evidence):
/// <code>
/// 60000([ bstr quote, bstr claims ])     the tag says what the evidence is; the quote's header says of which TEE
/// </code>
/// </summary>
public sealed class DiceEvidence
{
    /// <summary>CBOR tag of an Intel TEE quote, SGX or TDX (IANA, CBOR tags).</summary>
    public const ulong IntelQuoteTag = 60000;

    /// <summary>Most bytes of a whole piece of evidence.</summary>
    public const int MaxSize = 64 * 1024;

    private const string Name = "DICE evidence";
    private const ulong IntelReportTag = 60001, SgxLegacyReportTag = 60002;
    private const uint TdxTeeType = 0x81;

    private DiceEvidence(byte[] quote, byte[] claims)
    {
        Quote = quote;
        Tee = TeeOf(quote);
        Claims = DiceClaims.Parse(claims);
    }

    /// <summary>"sgx" or "tdx".</summary>
    public string Tee { get; }

    /// <summary>The quote.</summary>
    public ReadOnlyMemory<byte> Quote { get; }

    /// <summary>What the quote binds.</summary>
    public DiceClaims Claims { get; }

    /// <summary>The whole evidence, from a quote over the claims' digest.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> quote, ReadOnlySpan<byte> claims)
    {
        var writer = new CborWriter();
        writer.WriteTag((CborTag)IntelQuoteTag);
        writer.WriteStartArray(2);
        writer.WriteByteString(quote);
        writer.WriteByteString(claims);
        writer.WriteEndArray();
        return writer.Encode();
    }

    /// <summary>Parses evidence.</summary>
    /// <exception cref="MalformedDataException">It is none, or of a kind that is not judged.</exception>
    public static DiceEvidence Parse(ReadOnlyMemory<byte> cbor)
    {
        if (cbor.Length > MaxSize)
            throw new MalformedDataException(Name, -1, $"{cbor.Length} bytes are more than the limit of {MaxSize}");
        return CborInput.Read(cbor, Name, reader =>
        {
            var tag = (ulong)reader.ReadTag();
            if (tag != IntelQuoteTag)
                throw new MalformedDataException(Name, 0, KindOf(tag));
            // An array of indefinite length has no count here; the end is demanded in any case.
            if (reader.ReadStartArray() is { } count and not 2)
                throw new MalformedDataException(Name, -1, $"an array of {count}, not of 2");
            var quote = reader.ReadByteString();
            var claims = reader.ReadByteString();
            reader.ReadEndArray();
            return new DiceEvidence(quote, claims);
        });
    }

    /// <summary>The TEE of a quote by its header: version 3 is SGX's alone, later ones say it.</summary>
    internal static string TeeOf(ReadOnlySpan<byte> quote)
    {
        var cursor = new SpanCursor(quote, "quote");
        var version = cursor.ReadUInt16LittleEndian();
        cursor.ReadBytes(2);
        return version >= 4 && cursor.ReadUInt32LittleEndian() == TdxTeeType ? "tdx" : "sgx";
    }

    private static string KindOf(ulong tag) => tag switch
    {
        IntelReportTag or SgxLegacyReportTag => "it is a local report, which only the same machine can check; a quote is needed",
        0x1a7504 => "it is SEV-SNP evidence as rats-tls sends it, which is not judged here",
        0x1a7505 => "it is SEV evidence as rats-tls sends it, which is not judged here",
        0x1a7506 => "it is Hygon CSV evidence as rats-tls sends it, which is not judged here",
        _ => $"the tag {tag.ToString(CultureInfo.InvariantCulture)} is not that of an Intel quote, {IntelQuoteTag}",
    };
}
