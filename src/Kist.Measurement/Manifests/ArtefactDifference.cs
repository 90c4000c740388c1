using System.Collections.Immutable;
using Kist.Formats;
using Kist.Measurement.Firmware;
using Kist.Measurement.Linux;
using Kist.Measurement.Nitro;
using Kist.Measurement.Uefi;

namespace Kist.Measurement.Manifests;

/// <summary>Says which part of two firmware images, kernels, unified images or enclave images differs.</summary>
public static class ArtefactDifference
{
    private const int PageSize = 4096;
    private const int MaximumPagesShown = 16;

    /// <summary>What differs; empty if the files are equal.</summary>
    public static ImmutableArray<ManifestDifference> Between(ReadOnlyMemory<byte> left, ReadOnlyMemory<byte> right)
    {
        if (left.Span.SequenceEqual(right.Span))
            return [];
        var differences = ImmutableArray.CreateBuilder<ManifestDifference>();
        if (left.Length != right.Length)
            differences.Add(new("", "size", $"{left.Length} bytes", $"{right.Length} bytes"));
        var (a, b) = (KindOf(left), KindOf(right));
        if (a != b)
            differences.Add(new("", "kind", a, b));
        else if (a == "firmware")
            AddFirmware(differences, OvmfImage.Parse(left), OvmfImage.Parse(right));
        else if (a == "kernel" || a == "PE image")
            AddPe(differences, left, right);
        else if (a == "enclave image")
            AddEif(differences, EifImage.Parse(left), EifImage.Parse(right));
        else
            AddBytes(differences, "content", 0, left.Span, right.Span);
        return differences.ToImmutable();
    }

    /// <summary>What a file is: "firmware", "kernel", "PE image", "enclave image" or "file".</summary>
    public static string KindOf(ReadOnlyMemory<byte> file)
    {
        if (Is(() => BzImage.Parse(file)))
            return "kernel";
        if (Is(() => PeImage.Parse(file)))
            return "PE image";
        if (file.Span.StartsWith(".eif"u8) && Is(() => EifImage.Parse(file)))
            return "enclave image";
        return file.Length is > 0 and <= OvmfImage.MaximumSize && Is(() => OvmfTable.Parse(file) ?? throw new MalformedDataException("", 0, "")) ? "firmware" : "file";
    }

    private static bool Is(Func<object> parse)
    {
        try
        {
            return parse() is not null;
        }
        catch (MalformedDataException)
        {
            return false;
        }
    }

    private static void AddFirmware(ImmutableArray<ManifestDifference>.Builder differences, OvmfImage left, OvmfImage right)
    {
        foreach (var guid in left.Table!.Entries.Keys.Union(right.Table!.Entries.Keys).Order())
        {
            var a = left.Table.Entries.TryGetValue(guid, out var x) ? Convert.ToHexStringLower(x.Span) : null;
            var b = right.Table.Entries.TryGetValue(guid, out var y) ? Convert.ToHexStringLower(y.Span) : null;
            if (a != b)
                differences.Add(new("", $"table entry {guid}", a, b));
        }

        AddList(differences, "TDX section", [.. left.ReadTdvfSections().Select(s => s.ToString())], [.. right.ReadTdvfSections().Select(s => s.ToString())]);
        AddList(differences, "SEV section", [.. left.ReadSevSections().Select(s => s.ToString())], [.. right.ReadSevSections().Select(s => s.ToString())]);
        if (left.Bytes.Length != right.Bytes.Length)
            return;
        var shown = 0;
        var pages = 0;
        for (var at = 0; at < left.Bytes.Length; at += PageSize)
        {
            var size = Math.Min(PageSize, left.Bytes.Length - at);
            if (left.Bytes.Span.Slice(at, size).SequenceEqual(right.Bytes.Span.Slice(at, size)))
                continue;
            pages++;
            if (shown++ < MaximumPagesShown)
            {
                var address = (1UL << 32) - (ulong)(left.Bytes.Length - at);
                AddBytes(differences, $"page 0x{address:x} ({Section(left, at)})", at, left.Bytes.Span.Slice(at, size), right.Bytes.Span.Slice(at, size));
            }
        }

        if (pages > MaximumPagesShown)
            differences.Add(new("", "further pages", $"{pages - MaximumPagesShown} differ", null));
    }

    private static string Section(OvmfImage image, int offset)
    {
        var section = image.ReadTdvfSections().FirstOrDefault(s => offset >= s.DataOffset && offset < s.DataOffset + s.RawDataSize);
        return section is null ? "no TDX section" : section.Type.ToString();
    }

    private static void AddPe(ImmutableArray<ManifestDifference>.Builder differences, ReadOnlyMemory<byte> left, ReadOnlyMemory<byte> right)
    {
        var (a, b) = (PeImage.Parse(left), PeImage.Parse(right));
        foreach (var name in a.Sections.Concat(b.Sections).Select(s => s.Name).Distinct())
        {
            var (x, y) = (Show(a, name), Show(b, name));
            if (x != y)
                differences.Add(new("", $"section {name}", x, y));
        }

        var headers = (int)Math.Min(a.HeadersSize, b.HeadersSize);
        if (!left.Span[..headers].SequenceEqual(right.Span[..headers]))
            AddBytes(differences, "headers", 0, left.Span[..headers], right.Span[..headers]);
        if (differences.Count == 0)
            AddBytes(differences, "data outside the sections", 0, left.Span, right.Span);
    }

    private static string? Show(PeImage image, string name) => image.FindSection(name) is { } section
        ? $"sha256:{HashValue.Sha256(image.DataOf(section).Span)}, {section.VirtualSize} bytes at 0x{section.RawDataOffset:x}"
        : null;

    private static void AddEif(ImmutableArray<ManifestDifference>.Builder differences, EifImage left, EifImage right) => AddList(
        differences, "section",
        [.. left.Sections.Select(s => $"{s.Type}, sha256:{HashValue.Sha256(s.Data.Span)}, {s.Data.Length} bytes")],
        [.. right.Sections.Select(s => $"{s.Type}, sha256:{HashValue.Sha256(s.Data.Span)}, {s.Data.Length} bytes")]);

    private static void AddList(ImmutableArray<ManifestDifference>.Builder differences, string what, ImmutableArray<string> left, ImmutableArray<string> right)
    {
        for (var i = 0; i < Math.Max(left.Length, right.Length); i++)
        {
            var (a, b) = (i < left.Length ? left[i] : null, i < right.Length ? right[i] : null);
            if (a != b)
                differences.Add(new("", $"{what} {i}", a, b));
        }
    }

    private static void AddBytes(ImmutableArray<ManifestDifference>.Builder differences, string what, int origin, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var common = Math.Min(left.Length, right.Length);
        var first = left[..common].CommonPrefixLength(right[..common]);
        var count = Math.Abs(left.Length - right.Length);
        for (var i = first; i < common; i++)
            count += left[i] != right[i] ? 1 : 0;
        differences.Add(new(
            "", $"{what}: {count} bytes, the first at 0x{origin + first:x}",
            Convert.ToHexStringLower(left.Slice(first, Math.Min(16, left.Length - first))), Convert.ToHexStringLower(right.Slice(first, Math.Min(16, right.Length - first)))));
    }
}
