namespace Kist.Oci;

/// <summary>Where an image is read from: a repository of a registry, an OCI layout, a docker archive.</summary>
public interface IImageSource
{
    /// <summary>The place in the words of the command line, for messages.</summary>
    string Location { get; }

    /// <summary>
    /// Reads the manifest or index that this source names. If a digest was asked for, the content has it.
    /// </summary>
    Task<ManifestContent> ResolveAsync(CancellationToken cancellationToken);

    /// <summary>Reads a manifest or index by its descriptor; its length and digest are checked.</summary>
    Task<ManifestContent> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken);

    /// <summary>
    /// Opens a blob. The stream fails if there are fewer or more bytes than the descriptor says, and, before it reports its
    /// end, if the digest differs: what was read is proven only once the end has been reached.
    /// </summary>
    /// <param name="descriptor">The blob.</param>
    /// <param name="cancellationToken">Stops the opening, and synchronous reads of the stream for as long as it is open.</param>
    Task<Stream> OpenBlobAsync(Descriptor descriptor, CancellationToken cancellationToken);
}

/// <summary>Where an image is written to.</summary>
public interface IImageDestination
{
    /// <summary>The place in the words of the command line, for messages.</summary>
    string Location { get; }

    /// <summary>True if the blob is there already.</summary>
    Task<bool> HasBlobAsync(Descriptor descriptor, CancellationToken cancellationToken);

    /// <summary>Writes a blob.</summary>
    /// <param name="descriptor">What it is.</param>
    /// <param name="open">Opens the content from its beginning; called again if the transfer is tried again.</param>
    /// <param name="cancellationToken">Stops the transfer.</param>
    Task PushBlobAsync(Descriptor descriptor, Func<CancellationToken, Task<Stream>> open, CancellationToken cancellationToken);

    /// <summary>Writes a manifest or index whose blobs are there.</summary>
    /// <param name="content">The document.</param>
    /// <param name="isRoot">True for the image itself, which then gets the destination's tag; false for a part of an index.</param>
    /// <param name="cancellationToken">Stops the transfer.</param>
    Task PushManifestAsync(ManifestContent content, bool isRoot, CancellationToken cancellationToken);

    /// <summary>Finishes: what was pushed is whole and may be relied on afterwards.</summary>
    Task CommitAsync(CancellationToken cancellationToken);
}
