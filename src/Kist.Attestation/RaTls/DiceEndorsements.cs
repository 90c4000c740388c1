using System.Buffers;
using System.Formats.Cbor;
using System.Text;
using Kist.Attestation.Cose;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.RaTls;

/// <summary>
/// Collateral as RA-TLS certificates carry it ("Interoperable RA-TLS", extension tcg-dice-endorsement-manifest), so that a
/// verifier without a way to Intel can judge:
/// <code>
/// 60000([ version, tcb info, its issuers, PCK CRL, root CRL, issuers of the PCK CRL, QE identity, its issuers, ? made at ])
/// </code>
/// All but the version are byte strings. Nothing here is trusted: it is verified like collateral from anywhere else.
/// </summary>
public static class DiceEndorsements
{
    /// <summary>Most bytes of all endorsements.</summary>
    public const int MaxSize = 256 * 1024;

    private const string Name = "DICE endorsements";
    private const int LeastEntries = 8, MostEntries = 9;

    /// <summary>Version 3.1 of Intel's DCAP collateral: CRLs are DER.</summary>
    private static ReadOnlySpan<byte> EncodedVersion => [0x1a, 0x00, 0x01, 0x00, 0x03];

    private static readonly SearchValues<byte> s_hexDigits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    /// <summary>Encodes collateral.</summary>
    public static byte[] Encode(DcapCollateral collateral)
    {
        ArgumentNullException.ThrowIfNull(collateral);
        var writer = new CborWriter();
        writer.WriteTag((CborTag)DiceEvidence.IntelQuoteTag);
        writer.WriteStartArray(LeastEntries);
        // rats-tls demands an integer of 32 bits, whatever its value.
        writer.WriteEncodedValue(EncodedVersion);
        WriteText(writer, collateral.TcbInfo);
        WriteText(writer, collateral.TcbInfoIssuerChain);
        WriteCrl(writer, collateral.PckCrl);
        WriteCrl(writer, collateral.RootCaCrl);
        WriteText(writer, collateral.PckCrlIssuerChain);
        WriteText(writer, collateral.QeIdentity);
        WriteText(writer, collateral.QeIdentityIssuerChain);
        writer.WriteEndArray();
        return writer.Encode();
    }

    /// <summary>Parses endorsements; the statements themselves are read by whoever verifies with them.</summary>
    /// <exception cref="MalformedDataException">They do not follow the format.</exception>
    public static DcapCollateral Parse(ReadOnlyMemory<byte> cbor)
    {
        if (cbor.Length > MaxSize)
            throw new MalformedDataException(Name, -1, $"{cbor.Length} bytes are more than the limit of {MaxSize}");
        var entries = CborInput.Read(cbor, Name, ReadEntries);
        return new DcapCollateral
        {
            TcbInfo = Text(entries[0]),
            TcbInfoIssuerChain = Text(entries[1]),
            PckCrl = Crl(entries[2]),
            RootCaCrl = Crl(entries[3]),
            PckCrlIssuerChain = Text(entries[4]),
            QeIdentity = Text(entries[5]),
            QeIdentityIssuerChain = Text(entries[6]),
        };
    }

    private static List<byte[]> ReadEntries(CborReader reader)
    {
        var tag = (ulong)reader.ReadTag();
        if (tag != DiceEvidence.IntelQuoteTag)
            throw new MalformedDataException(Name, 0, $"the tag {tag} is not that of an Intel quote's endorsements");
        reader.ReadStartArray();
        // The text says "integer" and writes a byte string: either may stand here, and neither is needed.
        reader.SkipValue();
        var entries = new List<byte[]>(MostEntries);
        while (reader.PeekState() != CborReaderState.EndArray)
        {
            if (entries.Count == MostEntries - 1)
                throw new MalformedDataException(Name, -1, $"more than {MostEntries} entries");
            entries.Add(reader.ReadByteString());
        }

        reader.ReadEndArray();
        return entries.Count >= LeastEntries - 1
            ? entries
            : throw new MalformedDataException(Name, -1, $"{entries.Count + 1} entries, not {LeastEntries} or {MostEntries}");
    }

    // Texts end with a NUL, as Intel's library holds them and hands them on.
    private static void WriteText(CborWriter writer, ReadOnlyMemory<byte> text)
    {
        var terminated = new byte[text.Length + 1];
        text.CopyTo(terminated);
        writer.WriteByteString(terminated);
    }

    private static void WriteCrl(CborWriter writer, ReadOnlyMemory<byte> crl)
    {
        if (!Ascii.IsValid(crl.Span))
            writer.WriteByteString(crl.Span);
        else
            WriteText(writer, crl);
    }

    private static byte[] Text(byte[] entry) => entry.AsSpan().TrimEnd((byte)0).ToArray();

    /// <summary>DER as it is, PEM, or DER in hexadecimal digits, by the version of the library that it comes from.</summary>
    private static byte[] Crl(byte[] entry)
    {
        if (entry.Length > 0 && entry[0] == DerTag.Sequence && !Ascii.IsValid(entry))
        {
            var length = new DerCursor(entry, Name).ReadEncoded(DerTag.Sequence, "CRL").Length;
            return entry.AsSpan(length).ContainsAnyExcept((byte)0)
                ? throw new MalformedDataException(Name, length, "bytes follow a CRL")
                : entry[..length];
        }

        var text = Text(entry);
        return text.Length % 2 == 0 && !text.AsSpan().ContainsAnyExcept(s_hexDigits)
            ? Convert.FromHexString(Encoding.ASCII.GetString(text))
            : text;
    }
}
