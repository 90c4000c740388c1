using System.Security.Cryptography;

namespace Kist.Attestation.Dcap;

/// <summary>SHA-256 over several pieces, with one hash object a thread that is kept, so that nothing is allocated.</summary>
internal readonly ref struct HashBuffer
{
    [ThreadStatic]
    private static IncrementalHash? t_hash;

    private readonly IncrementalHash _hash;

    public HashBuffer() => _hash = t_hash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Add(ReadOnlySpan<byte> data) => _hash.AppendData(data);

    public void Finish(Span<byte> hash) => _hash.GetHashAndReset(hash);
}
