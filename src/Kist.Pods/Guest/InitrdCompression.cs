using ZstdSharp;

namespace Kist.Pods.Guest;

/// <summary>How initrds are compressed: zstd, by a managed library whose version is fixed, so that the bytes are the same everywhere.</summary>
static class InitrdCompression
{
    private const int Level = 19;

    public static byte[] Compress(ReadOnlySpan<byte> archive)
    {
        using var compressor = new Compressor(Level);
        return compressor.Wrap(archive).ToArray();
    }
}
