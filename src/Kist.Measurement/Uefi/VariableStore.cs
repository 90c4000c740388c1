using System.Collections.Immutable;
using System.Text;
using Kist.Formats;

namespace Kist.Measurement.Uefi;

/// <summary>One variable of a variable store.</summary>
/// <param name="Vendor">Its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Data">Its value.</param>
public sealed record StoredVariable(Guid Vendor, string Name, ReadOnlyMemory<byte> Data);

/// <summary>
/// The UEFI variables in a flash image's configuration volume, such as OVMF_VARS.fd.
/// <code>
/// volume    16 16 GUID fff12b8d-…   32 8 length   40 4 "_FVH"   48 2 header length                       PI vol. 3, 3.2.1
/// store      0 16 GUID aaf32c78-…   16 4 size     20 1 format 0x5a   21 1 state 0xfe   22 6 reserved    MdeModulePkg, VariableFormat.h
/// variable   0  2 0x55aa    2 1 state    4 4 attributes   8 8 count   16 16 time   32 4 key index
///           36  4 bytes of the name   40 4 bytes of data   44 16 vendor   60 name, data; the next one is aligned to 4
/// </code>
/// </summary>
public static class VariableStore
{
    private const string Structure = "variable store";
    private const int StoreHeaderSize = 28;
    private const int VariableHeaderSize = 60;
    private const byte Added = 0x3f;
    private const byte AddedInDeletion = 0x3e;

    private static readonly Guid NvDataVolume = new("fff12b8d-7696-4c8b-a985-2747075b4f50");
    private static readonly Guid AuthenticatedStore = new("aaf32c78-947b-439a-a180-2e144ec37792");

    /// <summary>Reads the variables that are in force.</summary>
    /// <param name="volume">The configuration volume: the image from its start.</param>
    /// <returns>The variables; null if this is no volume of variables that is known.</returns>
    /// <exception cref="MalformedDataException">It is one, and does not follow its format.</exception>
    public static ImmutableArray<StoredVariable>? Parse(ReadOnlyMemory<byte> volume)
    {
        var bytes = volume.Span;
        if (bytes.Length < 56 || new Guid(bytes.Slice(16, 16)) != NvDataVolume || !bytes.Slice(40, 4).SequenceEqual("_FVH"u8))
            return null;
        var headerLength = new SpanCursor(bytes[48..], Structure, 48).ReadUInt16LittleEndian();
        if (headerLength + StoreHeaderSize > bytes.Length)
            throw new MalformedDataException(Structure, 48, $"a volume header of {headerLength} bytes does not fit");
        var header = new SpanCursor(bytes[headerLength..], Structure, headerLength);
        if (new Guid(header.ReadBytes(16)) != AuthenticatedStore)
            return null;
        var size = header.ReadUInt32LittleEndian();
        if (size < StoreHeaderSize || size > bytes.Length - headerLength)
            throw header.Malformed($"a store of {size} bytes does not fit");
        header.Expect([0x5a, 0xfe], "format and state");
        return ReadVariables(volume.Slice(headerLength, (int)size), headerLength);
    }

    private static ImmutableArray<StoredVariable> ReadVariables(ReadOnlyMemory<byte> store, int origin)
    {
        var variables = ImmutableArray.CreateBuilder<StoredVariable>();
        for (var at = StoreHeaderSize; at + VariableHeaderSize <= store.Length;)
        {
            var cursor = new SpanCursor(store.Span[at..], Structure, origin + at);
            if (cursor.ReadUInt16LittleEndian() != 0x55aa)
                break;
            var state = cursor.ReadByte();
            cursor.ReadBytes(33);
            var nameSize = cursor.ReadUInt32LittleEndian();
            var dataSize = cursor.ReadUInt32LittleEndian();
            var vendor = new Guid(cursor.ReadBytes(16));
            if (nameSize % 2 != 0 || (ulong)nameSize + dataSize > (ulong)cursor.Remaining)
                throw cursor.Malformed($"a name of {nameSize} and data of {dataSize} bytes do not fit");
            var name = at + VariableHeaderSize;
            if (state is Added or AddedInDeletion)
            {
                variables.Add(new StoredVariable(
                    vendor, Encoding.Unicode.GetString(store.Span.Slice(name, (int)nameSize)).TrimEnd('\0'), store.Slice(name + (int)nameSize, (int)dataSize)));
            }

            at = (name + (int)nameSize + (int)dataSize + 3) & ~3;
        }

        return variables.ToImmutable();
    }
}
