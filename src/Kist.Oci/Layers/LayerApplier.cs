using System.IO.Compression;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>Unpacks the plain (decrypted, verified) content of one layer and proves its diff_id.</summary>
public static class LayerApplier
{
    /// <summary>
    /// Decompresses, hashes and unpacks. What has been unpacked is proven only when this returns: on any exception the
    /// caller must throw the directory away.
    /// </summary>
    /// <param name="content">The layer as compressed.</param>
    /// <param name="compressedBytes">Its length.</param>
    /// <param name="compression">How it is compressed.</param>
    /// <param name="diffId">Digest of the archive, from the image's configuration.</param>
    /// <param name="extractor">Where it goes.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="MalformedDataException">The layer is damaged or exceeds a limit.</exception>
    /// <exception cref="ContentMismatchException">The archive is not the one that the configuration names.</exception>
    public static void Apply(
        Stream content, long compressedBytes, LayerCompression compression, Digest diffId, LayerExtractor extractor, LayerLimits limits,
        CancellationToken cancellationToken)
    {
        using var hash = diffId.CreateHash();
        using var archive = new LimitedStream(Decompress(content, compression), compressedBytes, limits);
        using var pipe = new HashingPipeStream(archive, hash, cancellationToken);
        byte[] actual;
        try
        {
            extractor.Extract(new TarReader(pipe), cancellationToken);
            actual = pipe.Finish();
        }
        catch (Exception e) when (e is InvalidDataException or ZstdSharp.ZstdException)
        {
            throw new MalformedDataException("layer", -1, $"the {compression.ToString().ToLowerInvariant()} data is damaged: {e.Message}", e);
        }

        if (!diffId.MatchesHash(actual))
            throw new ContentMismatchException("layer", diffId, "the unpacked archive has another digest than the image's configuration says (diff_id)");
    }

    /// <summary>A stream of the decompressed content; closing it leaves <paramref name="content"/> open.</summary>
    public static Stream Decompress(Stream content, LayerCompression compression) => compression switch
    {
        LayerCompression.None => new BufferedStream(content, 128 * 1024),
        LayerCompression.Gzip => new GZipStream(content, CompressionMode.Decompress, leaveOpen: true),
        _ => new ZstdSharp.DecompressionStream(content, bufferSize: 128 * 1024, leaveOpen: true),
    };
}
