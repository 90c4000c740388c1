using System.Buffers.Binary;

namespace Kist.Attestation.Containers;

/// <summary>
/// What the Open Enclave SDK puts around quotes and collateral.
/// <code>
/// report                                    endorsements
///  0 4 version, 1                            0 4 version, 1
///  4 4 type, 2 = remote                      4 4 TEE, 2 = SGX
///  8 8 size of what follows                  8 4 size of what follows
/// 16 n quote                                12 4 number of elements
///                                           16 4 each: offset of an element in what follows the offsets, then the elements
/// </code>
/// </summary>
internal static class OpenEnclaveFraming
{
    private const int MaxElements = 16;

    private static ReadOnlySpan<byte> Start => [1, 0, 0, 0, 2, 0, 0, 0];

    /// <summary>The data without leading lines that begin with "#", which the SDK's test data have; all of it if there are none.</summary>
    public static ReadOnlyMemory<byte> WithoutComments(ReadOnlyMemory<byte> data)
    {
        while (!data.IsEmpty && data.Span[0] == (byte)'#' && data.Span.IndexOf((byte)'\n') is var end and >= 0)
            data = data[(end + 1)..];
        return data;
    }

    /// <summary>The quote inside a report; empty if this is none.</summary>
    public static ReadOnlyMemory<byte> QuoteOf(ReadOnlyMemory<byte> data) =>
        data.Length > 16 && data.Span.StartsWith(Start) && BinaryPrimitives.ReadUInt64LittleEndian(data.Span[8..]) == (ulong)data.Length - 16
            ? data[16..]
            : default;

    /// <summary>The elements of endorsements; empty if these are none, or an element lies outside.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> ElementsOf(ReadOnlyMemory<byte> data)
    {
        var span = data.Span;
        if (span.Length < 16 || !span.StartsWith(Start) || BinaryPrimitives.ReadUInt32LittleEndian(span[8..]) != (uint)span.Length - 16)
            return [];
        var count = BinaryPrimitives.ReadUInt32LittleEndian(span[12..]);
        if (count is 0 or > MaxElements || span.Length < 16 + (4 * (int)count))
            return [];
        var body = data[(16 + (4 * (int)count))..];
        var elements = new List<ReadOnlyMemory<byte>>();
        for (var i = 0; i < count; i++)
        {
            var start = BinaryPrimitives.ReadUInt32LittleEndian(span[(16 + (4 * i))..]);
            var end = i + 1 < count ? BinaryPrimitives.ReadUInt32LittleEndian(span[(20 + (4 * i))..]) : (uint)body.Length;
            if (start > end || end > (uint)body.Length)
                return [];
            elements.Add(body[(int)start..(int)end]);
        }

        return elements;
    }
}
