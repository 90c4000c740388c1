namespace Kist.Oci;

/// <summary>Limits of the tar reader, checked before anything is allocated.</summary>
static class TarLimits
{
    /// <summary>A path or link target: what Linux takes (PATH_MAX without its NUL).</summary>
    public const int MaxPathBytes = 4095;

    /// <summary>An extended header of one entry; it holds the attributes, each of which Linux limits to 64 KiB.</summary>
    public const int MaxExtendedHeaderBytes = 1024 * 1024;

    /// <summary>Parts of a sparse file.</summary>
    public const int MaxSparseRegions = 65536;

    /// <summary>Attributes of one entry.</summary>
    public const int MaxAttributes = 1024;
}
