namespace Kist.Host;

/// <summary>Which of a container's streams bytes belong to.</summary>
public enum OutputSource
{
    /// <summary>Standard output.</summary>
    Stdout,

    /// <summary>Standard error.</summary>
    Stderr,
}

/// <summary>Bytes that a container wrote.</summary>
/// <param name="Time">When they reached the host.</param>
/// <param name="Source">The stream.</param>
/// <param name="Data">The bytes, as written; a line may be cut anywhere.</param>
public sealed record OutputChunk(DateTimeOffset Time, OutputSource Source, ReadOnlyMemory<byte> Data)
{
    /// <summary>The container that wrote it, of a pod.</summary>
    public string Container { get; init; } = "";
}
