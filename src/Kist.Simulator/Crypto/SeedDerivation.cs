using System.Security.Cryptography;
using System.Text;

namespace Kist.Simulator.Crypto;

/// <summary>
/// Derives everything random of a simulated vendor from its seed, so that the same seed gives the same vendor. The seed
/// protects nothing: whoever runs the simulation can sign whatever they like.
/// </summary>
sealed class SeedDerivation
{
    /// <summary>Bytes of a seed.</summary>
    public const int SeedSize = 32;

    private readonly byte[] _seed;

    public SeedDerivation(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != SeedSize)
            throw new ArgumentException($"a seed has {SeedSize} bytes, not {seed.Length}", nameof(seed));
        _seed = seed.ToArray();
    }

    /// <summary>Bytes for one purpose: HKDF-SHA-256 of the seed, with the purpose as context.</summary>
    public byte[] Bytes(string purpose, int count) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _seed, count, salt: "kist simulated vendor"u8.ToArray(), info: Encoding.UTF8.GetBytes(purpose));

    /// <summary>A P-256 key for one purpose.</summary>
    public DeterministicEcdsa P256Key(string purpose) => DeterministicEcdsa.P256(Bytes("p256 " + purpose, 48));

    /// <summary>A P-384 key for one purpose.</summary>
    public DeterministicEcdsa P384Key(string purpose) => DeterministicEcdsa.P384(Bytes("p384 " + purpose, 64));
}
