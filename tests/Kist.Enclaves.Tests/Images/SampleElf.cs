using System.Buffers.Binary;
using System.Text;

namespace Kist.Enclaves.Tests.Images;

/// <summary>
/// Builds a small enclave in the layout of the Intel SDK: code that starts inside a page and patched bytes, data with
/// zero pages behind it, and metadata with heap, stack, TCS, SSA and thread data, the latter four repeated by a group.
/// </summary>
static class SampleElf
{
    public const int CodeOffset = 0x1000;
    public const int CodeSize = 0x1100;
    public const int DataOffset = 0x2200;
    public const int DataSize = 0x300;
    public const int DataMemory = 0x2300;
    public const ulong CodeAddress = 0x0;
    public const ulong DataAddress = 0x3200;
    public const ulong EnclaveSize = 0x40000;
    public const int PatchTarget = CodeOffset + 0x10;

    private const int NoteOffset = 0x2600;
    private const int MetadataSize = 0x1000;

    public static ReadOnlySpan<byte> Patch => "patched!"u8;

    public static byte[] Build(ulong version = (1UL << 32) | 5)
    {
        var file = new byte[0x4000];
        "\u007fELF"u8.CopyTo(file);
        file[4] = 2;
        file[5] = 1;
        file[6] = 1;
        Set16(file, 16, 3);
        Set16(file, 18, 62);
        Set32(file, 20, 1);
        Set64(file, 32, 64);
        Set64(file, 40, 0x3c00);
        Set16(file, 52, 64);
        Set16(file, 54, 56);
        Set16(file, 56, 2);
        Set16(file, 58, 64);
        Set16(file, 60, 3);
        Set16(file, 62, 2);
        Segment(file, 64, 5, CodeOffset, CodeAddress, CodeSize, CodeSize);
        Segment(file, 64 + 56, 6, DataOffset, DataAddress, DataSize, DataMemory);
        for (var i = 0; i < CodeSize; i++)
            file[CodeOffset + i] = (byte)(i * 7);
        for (var i = 0; i < DataSize; i++)
            file[DataOffset + i] = (byte)(i * 13);

        Set32(file, NoteOffset, 13);
        Set32(file, NoteOffset + 4, MetadataSize);
        Set32(file, NoteOffset + 8, 1);
        "sgx_metadata\0"u8.CopyTo(file.AsSpan(NoteOffset + 12));
        Metadata(file.AsSpan(NoteOffset + 25, MetadataSize), version);

        var names = Encoding.ASCII.GetBytes("\0.note.sgxmeta\0.shstrtab\0");
        names.CopyTo(file.AsSpan(0x3b00));
        Section(file, 0x3c00 + 64, 1, NoteOffset, 25 + MetadataSize);
        Section(file, 0x3c00 + 128, 15, 0x3b00, names.Length);
        return file;
    }

    /// <summary>Where the metadata starts in the file.</summary>
    public const int MetadataOffset = NoteOffset + 25;

    private static void Metadata(Span<byte> m, ulong version)
    {
        Set64(m, 0, 0x86A8_0294_635D_0E4C);
        Set64(m, 8, version);
        Set32(m, 16, MetadataSize);
        Set32(m, 24, 1);
        Set64(m, 40, EnclaveSize);
        Set64(m, 48, 4);
        Set64(m, 56, 3);
        const int Directories = 1872, Data = Directories + 32;
        Set32(m, Directories, Data);
        Set32(m, Directories + 4, 32);
        Set32(m, Directories + 8, Data + 32);
        Set32(m, Directories + 12, 7 * 32);
        const int Template = Data + 32 + (7 * 32), PatchBytes = Template + 72;
        Set64(m, Data, PatchTarget);
        Set32(m, Data + 8, PatchBytes);
        Set32(m, Data + 12, (uint)Patch.Length);
        Patch.CopyTo(m[PatchBytes..]);

        var layout = m[(Data + 32)..];
        Layout(layout, 0, 1, 1, 2, 0x8000, 0, 0, 0x203);
        Layout(layout, 1, 7, 0, 1, 0xa000, 0, 0, 0);
        Layout(layout, 2, 5, 3, 2, 0xb000, 0xcccccccc, 0, 0x203);
        Layout(layout, 3, 2, 3, 1, 0xd000, 72, Template, 0x100);
        Layout(layout, 4, 4, 3, 1, 0xe000, 0, 0, 0x203);
        Layout(layout, 5, 3, 3, 1, 0xf000, 0, 0, 0x203);
        var group = layout[(6 * 32)..];
        Set16(group, 0, 0x1006);
        Set16(group, 2, 4);
        Set32(group, 4, 2);
        Set64(group, 8, 0x8000);

        Set64(m, Template + 16, 0x1000);
        Set32(m, Template + 28, 1);
        Set64(m, Template + 32, 0x40);
        Set64(m, Template + 48, 0x2000);
        Set64(m, Template + 56, 0x2000);
        Set32(m, Template + 64, 0xffffffff);
        Set32(m, Template + 68, 0xffffffff);
    }

    private static void Layout(Span<byte> table, int index, ushort id, ushort attributes, uint pages, ulong rva, uint size, uint offset, ulong flags)
    {
        var entry = table[(index * 32)..];
        Set16(entry, 0, id);
        Set16(entry, 2, attributes);
        Set32(entry, 4, pages);
        Set64(entry, 8, rva);
        Set32(entry, 16, size);
        Set32(entry, 20, offset);
        Set64(entry, 24, flags);
    }

    private static void Segment(Span<byte> file, int at, uint flags, ulong offset, ulong address, ulong size, ulong memory)
    {
        Set32(file, at, 1);
        Set32(file, at + 4, flags);
        Set64(file, at + 8, offset);
        Set64(file, at + 16, address);
        Set64(file, at + 32, size);
        Set64(file, at + 40, memory);
        Set64(file, at + 48, 0x1000);
    }

    private static void Section(Span<byte> file, int at, uint name, int offset, int size)
    {
        Set32(file, at, name);
        Set64(file, at + 24, (ulong)offset);
        Set64(file, at + 32, (ulong)size);
    }

    private static void Set16(Span<byte> s, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(s[at..], value);

    private static void Set32(Span<byte> s, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(s[at..], value);

    private static void Set64(Span<byte> s, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(s[at..], value);
}
