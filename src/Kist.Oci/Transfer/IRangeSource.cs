namespace Kist.Oci;

/// <summary>A source whose blobs can be read in parts.</summary>
public interface IRangeSource
{
    /// <summary>Reads a part of a blob. No digest covers a part: whoever uses the bytes must prove them.</summary>
    Task ReadRangeAsync(Descriptor descriptor, long offset, Memory<byte> buffer, CancellationToken cancellationToken);
}
