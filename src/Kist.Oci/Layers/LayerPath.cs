using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// The path of an entry, cleaned: no leading slash, no "." and no empty components. A ".." is refused, wherever it would
/// lead: no honest writer makes one.
/// </summary>
readonly struct LayerPath
{
    private LayerPath(byte[] clean) => Clean = clean;

    /// <summary>Components joined by slashes; empty for the root.</summary>
    public byte[] Clean { get; }

    public bool IsRoot => Clean.Length == 0;

    public ReadOnlySpan<byte> Name => Clean.AsSpan(Clean.AsSpan().LastIndexOf((byte)'/') + 1);

    public ReadOnlySpan<byte> Parent => Clean.AsSpan(0, Math.Max(0, Clean.AsSpan().LastIndexOf((byte)'/')));

    public static LayerPath Parse(ReadOnlySpan<byte> path, int maxDepth)
    {
        var clean = new byte[path.Length];
        int length = 0, depth = 0;
        foreach (var range in path.Split((byte)'/'))
        {
            var component = path[range];
            if (component.IsEmpty || component.SequenceEqual("."u8))
                continue;
            if (component.SequenceEqual(".."u8))
                throw Refused(path, "it has '..' in it");
            if (component.Length > 255 || ++depth > maxDepth)
                throw Refused(path, component.Length > 255 ? "a component is longer than 255 bytes" : $"it is deeper than {maxDepth}");
            if (length > 0)
                clean[length++] = (byte)'/';
            component.CopyTo(clean.AsSpan(length));
            length += component.Length;
        }

        return new LayerPath(clean[..length]);
    }

    private static MalformedDataException Refused(ReadOnlySpan<byte> path, string reason) =>
        new("layer", -1, $"the path '{System.Text.Encoding.UTF8.GetString(path)}' is refused: {reason}");
}
