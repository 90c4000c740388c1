using System.Buffers.Binary;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Images;

/// <summary>
/// An enclave of the Intel SDK: an ELF shared object whose section .note.sgxmeta says how it is laid out. Gives the
/// pages in the order in which the SDK's loader adds them (linux-sgx, psw/urts/loader.cpp).
/// </summary>
public sealed class ElfEnclave
{
    /// <summary>Largest file that is read, in bytes.</summary>
    public const int MaxLength = 1 << 30;

    private const string Name = "ELF enclave";
    private const string MetadataSection = ".note.sgxmeta";
    private const int NoteHeaderSize = 12;

    private readonly byte[] _file;
    private readonly EnclaveMetadata _metadata;
    private readonly ElfFile _elf;
    private readonly int _metadataOffset;

    private ElfEnclave(byte[] file, ElfFile elf, EnclaveMetadata metadata, int metadataOffset)
    {
        _file = file;
        _elf = elf;
        _metadata = metadata;
        _metadataOffset = metadataOffset;
        Image = new EnclaveImage(
            metadata.EnclaveSize, metadata.SsaFrameSize, new ElfEnclavePages(Patched(), elf, metadata));
    }

    /// <summary>True if the data begins like an ELF file.</summary>
    public static bool Recognises(ReadOnlySpan<byte> data) => ElfFile.Recognises(data);

    /// <summary>Parses an enclave.</summary>
    /// <exception cref="MalformedDataException">It is none, or it uses what nothing here reads.</exception>
    public static ElfEnclave Parse(ReadOnlySpan<byte> file)
    {
        if (file.Length > MaxLength)
            throw new MalformedDataException(Name, -1, $"{file.Length} bytes, more than the limit of {MaxLength}");
        var elf = ElfFile.Parse(file);
        if (elf.Type != 3)
            throw new MalformedDataException(Name, 16, "not a shared object");
        var copy = file.ToArray();
        var (offset, size) = FindMetadata(copy, elf);
        return new ElfEnclave(copy, elf, EnclaveMetadata.Parse(copy.AsMemory(offset, size)), offset);
    }

    /// <summary>The enclave's pages.</summary>
    public EnclaveImage Image { get; }

    /// <summary>The attributes that the enclave asks for.</summary>
    public SgxAttributes Attributes => _metadata.Attributes;

    /// <summary>The MISCSELECT that the enclave asks for.</summary>
    public uint MiscSelect => _metadata.MiscSelect;

    /// <summary>Version of the metadata, such as "1.5".</summary>
    public string MetadataVersion => $"{_metadata.Version >> 32}.{(uint)_metadata.Version}";

    /// <summary>True if a SIGSTRUCT is in place (it may still be wrong).</summary>
    public bool IsSigned => _metadata.SigstructBytes.Span.IndexOfAnyExcept((byte)0) >= 0;

    /// <summary>The SIGSTRUCT in the file.</summary>
    /// <exception cref="MalformedDataException">The enclave is not signed.</exception>
    public Sigstruct ReadSigstruct() => Sigstruct.Parse(_metadata.SigstructBytes.Span);

    /// <summary>The file with another SIGSTRUCT in place. The SIGSTRUCT is no part of what is measured.</summary>
    public byte[] WithSigstruct(Sigstruct sigstruct)
    {
        ArgumentNullException.ThrowIfNull(sigstruct);
        var file = (byte[])_file.Clone();
        sigstruct.Bytes.CopyTo(file.AsSpan(_metadataOffset + EnclaveMetadata.SigstructOffset));
        return file;
    }

    private static (int Offset, int Size) FindMetadata(ReadOnlySpan<byte> file, ElfFile elf)
    {
        var section = elf.Sections.FirstOrDefault(s => s.Name == MetadataSection);
        if (section.Name is null)
            throw new MalformedDataException(Name, -1, $"no section {MetadataSection}: not an enclave of the Intel SDK");
        var note = ElfFile.Slice(file, section.Offset, section.Size, MetadataSection);
        var cursor = new SpanCursor(note, MetadataSection, (long)section.Offset);
        cursor.Expect([13, 0, 0, 0], "length of the note's name");
        var size = cursor.ReadUInt32LittleEndian();
        cursor.ReadBytes(4);
        cursor.Expect("sgx_metadata\0"u8, "the note's name");
        if (size > EnclaveMetadata.MaxSize || size > (uint)cursor.Remaining)
            throw cursor.Malformed($"metadata of {size} bytes, where {cursor.Remaining} remain and {EnclaveMetadata.MaxSize} are allowed");
        return ((int)section.Offset + NoteHeaderSize + 13, (int)size);
    }

    /// <summary>The file as the loader sees it once the metadata's patches are applied.</summary>
    private byte[] Patched()
    {
        var patched = (byte[])_file.Clone();
        foreach (var patch in _metadata.Patches)
        {
            if (patch.Destination > (ulong)patched.Length || patch.Size > (ulong)patched.Length - patch.Destination)
                throw new MalformedDataException(Name, -1, "a patch leaves the file");
            EnclaveMetadata.Slice(_metadata.Bytes.Span, patch.Source, patch.Size, "a patch")
                .CopyTo(patched.AsSpan((int)patch.Destination));
        }

        return patched;
    }
}
