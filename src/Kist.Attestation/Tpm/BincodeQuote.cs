using System.Buffers.Binary;
using System.Collections.Immutable;
using Kist.Formats;

namespace Kist.Attestation.Tpm;

/// <summary>
/// A quote as Azure's vTPM crate writes it with bincode, little-endian: size (8) and signature, size (8) and message, number of
/// registers (8), registers of 32 bytes. The key that signed it is not in it.
/// </summary>
internal static class BincodeQuote
{
    private const string Structure = "TPM quote (bincode)";
    private const int PcrSize = 32;
    private const int MessageLimit = 1024;

    /// <summary>True if an RSA signature is followed by a TPM's statement.</summary>
    public static bool IsLikely(ReadOnlySpan<byte> data) =>
        data.Length > 8 && BinaryPrimitives.ReadUInt64LittleEndian(data) is (256 or 384 or 512) and var size
        && data.Length > (int)size + 20 && data.Slice((int)size + 16, 4).SequenceEqual((ReadOnlySpan<byte>)[0xFF, 0x54, 0x43, 0x47]);

    public static TpmEvidence Read(Evidence evidence)
    {
        var cursor = new SpanCursor(evidence.Bytes.Span, Structure);
        var signature = ReadSized(ref cursor, 512).ToArray();
        var message = ReadSized(ref cursor, MessageLimit);
        var count = cursor.ReadUInt64LittleEndian();
        if (count > TpmEvidence.PcrLimit)
            throw cursor.Malformed($"it has {count} registers, more than the limit of {TpmEvidence.PcrLimit}");
        var pcrs = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        for (var i = 0UL; i < count; i++)
            pcrs.Add(cursor.ReadBytes(PcrSize).ToArray());
        cursor.ExpectEnd();
        return TpmEvidence.OfQuoteAlone(message, signature, pcrs.ToImmutable(), evidence);
    }

    private static ReadOnlySpan<byte> ReadSized(ref SpanCursor cursor, int limit)
    {
        var size = cursor.ReadUInt64LittleEndian();
        return size <= (ulong)limit ? cursor.ReadBytes((int)size) : throw cursor.Malformed($"a part of {size} bytes is more than the limit of {limit}");
    }
}
