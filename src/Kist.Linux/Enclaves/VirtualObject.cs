using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Kist.Formats;

namespace Kist.Linux.Enclaves;

/// <summary>
/// The shared object that the kernel maps into every process (vdso(7)). Its ELF header comes first (AT_SYSINFO_EHDR), its
/// section headers last, all of it mapped.
/// </summary>
public static unsafe partial class VirtualObject
{
    private const string Name = "vDSO";
    private const nuint HeaderAddress = 33; // AT_SYSINFO_EHDR
    private const int HeaderSize = 64, SectionSize = 64, SymbolSize = 24;
    private const int MaxSections = 256, MaxBytes = 1 << 20;
    private const uint DynamicSymbols = 11; // SHT_DYNSYM

    /// <summary>The address of a function; 0 if the kernel has none of that name, or no vDSO.</summary>
    /// <exception cref="MalformedDataException">The object does not follow its format.</exception>
    public static nint FindFunction(string name)
    {
        var start = (byte*)getauxval(HeaderAddress);
        if (start is null)
            return 0;
        var header = new ReadOnlySpan<byte>(start, HeaderSize);
        var length = checked((long)BinaryPrimitives.ReadUInt64LittleEndian(header[40..]) + (BinaryPrimitives.ReadUInt16LittleEndian(header[60..]) * SectionSize));
        if (length is < HeaderSize or > MaxBytes)
            throw new MalformedDataException(Name, 40, $"{length} bytes are not between {HeaderSize} and {MaxBytes}");
        var offset = FindSymbol(new ReadOnlySpan<byte>(start, (int)length), name);
        return offset == 0 ? 0 : (nint)start + (nint)offset;
    }

    /// <summary>Where a defined symbol lies, from the object's start; 0 if there is none of that name.</summary>
    internal static ulong FindSymbol(ReadOnlySpan<byte> image, ReadOnlySpan<char> name)
    {
        if (image.Length < HeaderSize || !image.StartsWith("\u007fELF"u8) || image[4] != 2 || image[5] != 1)
            throw new MalformedDataException(Name, 0, "not a 64-bit little-endian ELF object");
        var table = BinaryPrimitives.ReadUInt64LittleEndian(image[40..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(image[60..]);
        if (BinaryPrimitives.ReadUInt16LittleEndian(image[58..]) != SectionSize || count > MaxSections)
            throw new MalformedDataException(Name, 58, "its section headers are not as expected");
        for (var i = 0; i < count; i++)
        {
            var section = Slice(image, table + ((ulong)i * SectionSize), SectionSize);
            if (BinaryPrimitives.ReadUInt32LittleEndian(section[4..]) != DynamicSymbols)
                continue;
            var link = BinaryPrimitives.ReadUInt32LittleEndian(section[40..]);
            if (link >= count)
                throw new MalformedDataException(Name, -1, "its symbols have no names");
            var symbols = Content(image, section);
            var names = Content(image, Slice(image, table + (link * SectionSize), SectionSize));
            return Find(symbols, names, name);
        }

        return 0;
    }

    private static ulong Find(ReadOnlySpan<byte> symbols, ReadOnlySpan<byte> names, ReadOnlySpan<char> name)
    {
        for (; symbols.Length >= SymbolSize; symbols = symbols[SymbolSize..])
        {
            var at = BinaryPrimitives.ReadUInt32LittleEndian(symbols);
            var isDefined = BinaryPrimitives.ReadUInt16LittleEndian(symbols[6..]) != 0;
            if (!isDefined || at >= names.Length)
                continue;
            var text = names[(int)at..];
            var end = text.IndexOf((byte)0);
            if (end == name.Length && System.Text.Ascii.Equals(text[..end], name))
                return BinaryPrimitives.ReadUInt64LittleEndian(symbols[8..]);
        }

        return 0;
    }

    private static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> image, ReadOnlySpan<byte> section) =>
        Slice(image, BinaryPrimitives.ReadUInt64LittleEndian(section[24..]), BinaryPrimitives.ReadUInt64LittleEndian(section[32..]));

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> image, ulong offset, ulong length) =>
        offset <= (ulong)image.Length && length <= (ulong)image.Length - offset
            ? image.Slice((int)offset, (int)length) : throw new MalformedDataException(Name, (long)offset, $"{length} bytes reach beyond its end");

    [LibraryImport("libc")]
    private static partial nuint getauxval(nuint type);
}
