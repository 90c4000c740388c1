using System.Buffers.Binary;

namespace Kist.Measurement.Tdx;

/// <summary>
/// A resource block of a hand-off block list, and the writing of such a list without the block that ends it.
/// <code>
/// PHIT      0 2 type 1   2 2 length 56   4 4 zero   8 4 version 9   12 4 boot mode 0   16 32 zero   48 8 end of the list
/// resource  0 2 type 3   2 2 length 48   4 4 zero   8 16 owner zero   24 4 kind   28 4 attributes   32 8 start   40 8 length
///                                                                                                        PI vol. 3, 5
/// </code>
/// </summary>
readonly record struct HobResource(uint Kind, uint Attributes, ulong Start, ulong Length)
{
    public const int PhitSize = 56;
    public const int Size = 48;

    /// <summary>Kind: memory that is accepted.</summary>
    public const uint SystemMemory = 0;

    /// <summary>Kind: memory that is not yet accepted.</summary>
    public const uint UnacceptedMemory = 7;

    public static byte[] WriteList(IReadOnlyList<HobResource> resources, ulong endOfList)
    {
        var list = new byte[PhitSize + Size * resources.Count];
        BinaryPrimitives.WriteUInt16LittleEndian(list, 1);
        BinaryPrimitives.WriteUInt16LittleEndian(list.AsSpan(2), PhitSize);
        BinaryPrimitives.WriteUInt32LittleEndian(list.AsSpan(8), 9);
        BinaryPrimitives.WriteUInt64LittleEndian(list.AsSpan(48), endOfList);
        for (var i = 0; i < resources.Count; i++)
            resources[i].Write(list.AsSpan(PhitSize + Size * i));
        return list;
    }

    private void Write(Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, 3);
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], Size);
        BinaryPrimitives.WriteUInt32LittleEndian(block[24..], Kind);
        BinaryPrimitives.WriteUInt32LittleEndian(block[28..], Attributes);
        BinaryPrimitives.WriteUInt64LittleEndian(block[32..], Start);
        BinaryPrimitives.WriteUInt64LittleEndian(block[40..], Length);
    }
}
