namespace Kist.Oci;

/// <summary>How much a layer may unpack to. A caller with little memory sets its own.</summary>
public sealed record LayerLimits
{
    /// <summary>Bytes of the uncompressed archive.</summary>
    public long MaxArchiveBytes { get; init; } = 64L << 30;

    /// <summary>Sum of the lengths of the files, holes counted.</summary>
    public long MaxContentBytes { get; init; } = 64L << 30;

    /// <summary>Entries of the archive.</summary>
    public int MaxEntries { get; init; } = 2_000_000;

    /// <summary>
    /// How many times larger than the compressed layer the archive may be, once it exceeds
    /// <see cref="FreeExpansionBytes"/>. gzip reaches 1030 with zeros only; ordinary layers stay below 20.
    /// </summary>
    public int MaxExpansion { get; init; } = 200;

    /// <summary>The size up to which the expansion is not judged.</summary>
    public long FreeExpansionBytes { get; init; } = 256L << 20;

    /// <summary>Depth of a path in components.</summary>
    public int MaxDepth { get; init; } = 255;
}
