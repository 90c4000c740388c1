using System.Collections.Immutable;
using System.Text;
using Kist.Formats;

namespace Kist.Measurement.Uefi;

/// <summary>A unified kernel image: systemd's stub with kernel, initrd, command line and more as PE sections.</summary>
public sealed class UnifiedKernelImage
{
    /// <summary>
    /// The sections that the stub measures, in its order, by their names (systemd, src/fundamental/uki.c). Never .pcrsig,
    /// which signs the result.
    /// </summary>
    private static readonly ImmutableArray<string> MeasuredNames =
        [".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".splash", ".dtb", ".uname", ".sbat", ".pcrpkey"];

    /// <summary>The most zeros that a section may have in memory behind what the file has of it: alignment, not content.</summary>
    private const int MaximumPadding = 16 << 20;

    private readonly PeImage _image;

    private UnifiedKernelImage(PeImage image) => _image = image;

    /// <summary>The image as firmware loads it.</summary>
    public PeImage Image => _image;

    /// <summary>The measured sections that it has, in the order of measurement.</summary>
    public IEnumerable<PeSection> MeasuredSections => MeasuredNames.Select(_image.FindSection).OfType<PeSection>();

    /// <summary>The kernel inside.</summary>
    public ReadOnlyMemory<byte> Linux => _image.DataOf(_image.FindSection(".linux")!);

    /// <summary>The initrd inside, or null.</summary>
    public ReadOnlyMemory<byte>? Initrd => _image.FindSection(".initrd") is { } section ? _image.DataOf(section) : (ReadOnlyMemory<byte>?)null;

    /// <summary>The command line inside, or null; without the line end and NUL that it may have.</summary>
    public string? CommandLine =>
        _image.FindSection(".cmdline") is { } section ? Encoding.UTF8.GetString(_image.DataOf(section).Span).TrimEnd('\0', '\n') : null;

    /// <summary>Reads an image.</summary>
    /// <exception cref="MalformedDataException">It is no PE image, or has no kernel inside.</exception>
    public static UnifiedKernelImage Parse(ReadOnlyMemory<byte> bytes)
    {
        var image = PeImage.Parse(bytes);
        if (image.FindSection(".linux") is null)
            throw new MalformedDataException("unified kernel image", -1, "it has no section .linux");
        return new UnifiedKernelImage(image);
    }

    /// <summary>The bytes of a section as the stub finds them in memory: as long as its virtual size, zeros where the file has less.</summary>
    public byte[] InMemory(PeSection section)
    {
        var content = _image.DataOf(section).Span;
        if (section.VirtualSize > (uint)content.Length + MaximumPadding)
            throw new MalformedDataException("unified kernel image", -1, $"section {section.Name} is {section.VirtualSize} bytes in memory and {content.Length} in the file");
        var data = new byte[section.VirtualSize];
        content.CopyTo(data);
        return data;
    }
}
