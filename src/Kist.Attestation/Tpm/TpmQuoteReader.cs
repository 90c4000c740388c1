using System.Collections.Immutable;
using Kist.Formats;

namespace Kist.Attestation.Tpm;

/// <summary>Reads TPMS_ATTEST. Only quotes are read: another attestation of the same key must not pass for one.</summary>
public static class TpmQuoteReader
{
    /// <summary>The largest message that is read, in bytes.</summary>
    public const int SizeLimit = 4096;

    private const string Structure = "TPMS_ATTEST";
    private const int BankLimit = 16;
    private const int SelectSizeLimit = 4;

    /// <summary>Reads a message; bytes after its end are refused.</summary>
    /// <exception cref="MalformedDataException">It is not a quote, or does not follow its format.</exception>
    public static TpmQuote Parse(ReadOnlySpan<byte> message)
    {
        if (message.Length > SizeLimit)
            throw new MalformedDataException(Structure, -1, $"it is {message.Length} bytes, more than the limit of {SizeLimit}");
        var bytes = message.ToArray();
        var cursor = new SpanCursor(bytes, Structure);
        cursor.Expect([0xFF, 0x54, 0x43, 0x47], "magic (TPM_GENERATED_VALUE)");
        cursor.Expect([0x80, 0x18], "type (TPM_ST_ATTEST_QUOTE)");
        var quote = new TpmQuote
        {
            Message = bytes,
            QualifiedSigner = ReadSized(ref cursor),
            ExtraData = ReadSized(ref cursor),
            Clock = cursor.ReadUInt64BigEndian(),
            ResetCount = cursor.ReadUInt32BigEndian(),
            RestartCount = cursor.ReadUInt32BigEndian(),
            IsClockSafe = ReadYesNo(ref cursor),
            FirmwareVersion = cursor.ReadUInt64BigEndian(),
            Selections = ReadSelections(ref cursor),
            PcrDigest = ReadSized(ref cursor),
        };
        cursor.ExpectEnd();
        return quote;
    }

    /// <summary>Reads a TPM2B: a 16-bit length and as many bytes.</summary>
    internal static byte[] ReadSized(ref SpanCursor cursor) => cursor.ReadBytes(cursor.ReadUInt16BigEndian()).ToArray();

    private static bool ReadYesNo(ref SpanCursor cursor) => cursor.ReadByte() switch
    {
        0 => false,
        1 => true,
        var other => throw cursor.Malformed($"a TPMI_YES_NO is {other}"),
    };

    private static ImmutableArray<TpmPcrSelection> ReadSelections(ref SpanCursor cursor)
    {
        var count = cursor.ReadUInt32BigEndian();
        if (count > BankLimit)
            throw cursor.Malformed($"{count} PCR selections, more than the limit of {BankLimit}");
        var result = ImmutableArray.CreateBuilder<TpmPcrSelection>((int)count);
        for (var i = 0; i < count; i++)
        {
            var bank = (TpmAlgorithm)cursor.ReadUInt16BigEndian();
            var size = cursor.ReadByte();
            if (size > SelectSizeLimit)
                throw cursor.Malformed($"sizeofSelect is {size}, more than the limit of {SelectSizeLimit}");
            result.Add(new TpmPcrSelection(bank, Indexes(cursor.ReadBytes(size))));
        }

        return result.MoveToImmutable();
    }

    private static ImmutableArray<int> Indexes(ReadOnlySpan<byte> bits)
    {
        var result = ImmutableArray.CreateBuilder<int>();
        for (var i = 0; i < bits.Length * 8; i++)
        {
            if ((bits[i / 8] >> i % 8 & 1) != 0)
                result.Add(i);
        }

        return result.ToImmutable();
    }
}
