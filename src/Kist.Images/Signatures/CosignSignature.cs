namespace Kist.Images.Signatures;

/// <summary>A cosign signature as it was stored. Nothing of it has been verified.</summary>
/// <param name="Payload">What it is about, in JSON: a simple-signing payload, or an in-toto statement.</param>
/// <param name="Signature">The signature: DER for elliptic keys.</param>
public sealed record CosignSignature(byte[] Payload, byte[] Signature)
{
    private readonly byte[]? _signedBytes;

    /// <summary>True if the payload is an in-toto statement.</summary>
    public bool IsStatement { get; init; }

    /// <summary>The bytes that were signed: the payload, or a statement in DSSE's encoding.</summary>
    public byte[] SignedBytes
    {
        get => _signedBytes ?? Payload;
        init => _signedBytes = value;
    }

    /// <summary>The signer's certificate in DER, or null.</summary>
    public byte[]? Certificate { get; init; }

    /// <summary>Certificates that came with it.</summary>
    public IReadOnlyList<byte[]> Chain { get; init; } = [];

    /// <summary>Timestamps that came with it: responses of RFC 3161, in DER.</summary>
    public IReadOnlyList<byte[]> Timestamps { get; init; } = [];

    /// <summary>Entries of transparency logs that came with it.</summary>
    public IReadOnlyList<LogEntry> LogEntries { get; init; } = [];
}
