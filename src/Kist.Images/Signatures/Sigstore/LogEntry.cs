namespace Kist.Images.Signatures;

/// <summary>An entry of a transparency log (Rekor version 1) with what proves that it is one. Nothing has been verified.</summary>
public sealed record LogEntry
{
    /// <summary>SHA-256 of the log's public key.</summary>
    public required byte[] LogId { get; init; }

    /// <summary>The entry's number in the whole log.</summary>
    public required long Index { get; init; }

    /// <summary>When the log took it, seconds since 1970. Only the promise vouches for it.</summary>
    public required long IntegratedTime { get; init; }

    /// <summary>The entry itself: canonical JSON that names artifact, signature and signer.</summary>
    public required byte[] Body { get; init; }

    /// <summary>The signed entry timestamp, or null: the log's word that the entry is, or will be, there.</summary>
    public byte[]? Promise { get; init; }

    /// <summary>The proof that it is there, or null.</summary>
    public InclusionProof? Proof { get; init; }
}

/// <summary>Proof that an entry is a leaf of a log's Merkle tree (RFC 6962, section 2.1.1).</summary>
/// <param name="Index">The leaf's number in this tree.</param>
/// <param name="TreeSize">Leaves of the tree.</param>
/// <param name="RootHash">The tree's root.</param>
/// <param name="Hashes">The siblings on the way, lowest first.</param>
/// <param name="Checkpoint">The log's signed word on size and root (a signed note).</param>
public sealed record InclusionProof(long Index, long TreeSize, byte[] RootHash, IReadOnlyList<byte[]> Hashes, string Checkpoint);
