namespace Kist.Oci;

/// <summary>What a whiteout in a layer does.</summary>
public enum WhiteoutMode
{
    /// <summary>Removes what lower layers put there: all layers are unpacked into one directory, lowest first.</summary>
    Apply,

    /// <summary>Becomes what overlayfs understands: a character device 0/0, an opaque directory. Needs root.</summary>
    Overlay,
}

/// <summary>How a layer is unpacked.</summary>
public sealed record ExtractionOptions
{
    /// <summary>The limits.</summary>
    public LayerLimits Limits { get; init; } = new();

    /// <summary>What a whiteout does.</summary>
    public WhiteoutMode Whiteouts { get; init; }

    /// <summary>
    /// True sets owners and makes device nodes, which needs root; false leaves both out; null does it where the caller is
    /// root. What was left out is counted in the report.
    /// </summary>
    public bool? Privileged { get; init; }
}

/// <summary>What was unpacked, and what could not be.</summary>
/// <param name="Entries">Entries of the archives.</param>
/// <param name="ContentBytes">Sum of the lengths of the files.</param>
/// <param name="SkippedDevices">Device nodes left out for lack of rights.</param>
/// <param name="SkippedAttributes">Extended attributes that the file system does not take, or that no image may set.</param>
/// <param name="OwnersKept">False if all files belong to the caller instead.</param>
public sealed record ExtractionReport(long Entries, long ContentBytes, long SkippedDevices, long SkippedAttributes, bool OwnersKept)
{
    /// <summary>A report of nothing.</summary>
    public static ExtractionReport None { get; } = new(0, 0, 0, 0, true);

    /// <summary>Both together.</summary>
    public static ExtractionReport operator +(ExtractionReport one, ExtractionReport other) => Add(one, other);

    /// <summary>Both together.</summary>
    public static ExtractionReport Add(ExtractionReport left, ExtractionReport right) => new(
        left.Entries + right.Entries, left.ContentBytes + right.ContentBytes, left.SkippedDevices + right.SkippedDevices,
        left.SkippedAttributes + right.SkippedAttributes, left.OwnersKept && right.OwnersKept);
}
