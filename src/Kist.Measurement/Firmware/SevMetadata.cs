using System.Collections.Immutable;
using Kist.Formats;

namespace Kist.Measurement.Firmware;

/// <summary>What a section of the SEV metadata is for (edk2, OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm).</summary>
public enum SevSectionType : uint
{
    /// <summary>SNP_SEC_MEM: memory that the firmware needs before it can accept pages itself.</summary>
    SecMemory = 1,

    /// <summary>SNP_SECRETS: the secrets page.</summary>
    Secrets = 2,

    /// <summary>CPUID: the page with the processor's features.</summary>
    Cpuid = 3,

    /// <summary>SVSM_CAA: the calling area of a secure VM service module.</summary>
    SvsmCallingArea = 4,

    /// <summary>SNP_KERNEL_HASHES: the page with the hashes of kernel, initrd and command line.</summary>
    KernelHashes = 0x10,
}

/// <summary>One section of the SEV metadata.</summary>
/// <param name="Address">Guest-physical address, a multiple of 4096 (for an SVSM image: from its start).</param>
/// <param name="Size">Bytes, a multiple of 4096.</param>
/// <param name="Type">What it is for.</param>
public sealed record SevSection(uint Address, uint Size, SevSectionType Type);

/// <summary>
/// Reads the SEV metadata of a firmware image.
/// <code>
///  0  4  signature "ASEV"     4  4  size: 16 + 12 × sections     8  4  version 1     12  4  number of sections
/// each section   0  4  guest-physical address     4  4  size     8  4  type           edk2, OvmfSevMetadata.asm
/// </code>
/// </summary>
static class SevMetadata
{
    private const string Structure = "SEV metadata";
    private const int MaximumSections = 64;
    private const uint MaximumSectionSize = 256 << 20;

    public static ImmutableArray<SevSection> Parse(ReadOnlySpan<byte> image, int offset)
    {
        var cursor = new SpanCursor(image[offset..], Structure, offset);
        cursor.Expect("ASEV"u8, "signature");
        var size = cursor.ReadUInt32LittleEndian();
        var version = cursor.ReadUInt32LittleEndian();
        if (version != 1)
            throw cursor.Malformed($"version {version} is not known");
        var count = cursor.ReadUInt32LittleEndian();
        if (count is 0 or > MaximumSections || size != 16 + 12 * count)
            throw cursor.Malformed($"{count} sections in {size} bytes are not possible");

        var sections = ImmutableArray.CreateBuilder<SevSection>((int)count);
        for (var i = 0; i < count; i++)
        {
            var section = new SevSection(cursor.ReadUInt32LittleEndian(), cursor.ReadUInt32LittleEndian(), (SevSectionType)cursor.ReadUInt32LittleEndian());
            if (!Enum.IsDefined(section.Type))
                throw cursor.Malformed($"section type 0x{(uint)section.Type:x} is not known");
            if ((section.Address & 0xfff) != 0 || (section.Size & 0xfff) != 0 || section.Size is 0 or > MaximumSectionSize)
                throw cursor.Malformed($"0x{section.Size:x} bytes at 0x{section.Address:x} are not whole pages within the limit");
            if (section.Type is not SevSectionType.SecMemory && section.Size != 0x1000)
                throw cursor.Malformed($"a section of type {section.Type} has one page, not 0x{section.Size:x} bytes");
            sections.Add(section);
        }

        return sections.MoveToImmutable();
    }
}
