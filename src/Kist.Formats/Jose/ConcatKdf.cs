using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Kist.Formats.Jose;

/// <summary>
/// The Concat key derivation of ECDH-ES (RFC 7518 section 4.6.2; NIST SP 800-56A section 5.8.1 with SHA-256).
/// </summary>
public static class ConcatKdf
{
    /// <summary>Derives a key of <paramref name="destination"/>'s length, at most 64 bytes.</summary>
    /// <param name="sharedSecret">Z: the x coordinate of the agreed point, as long as the field.</param>
    /// <param name="algorithm">AlgorithmID: the "alg" value with key wrapping, else the "enc" value.</param>
    /// <param name="partyU">The decoded "apu" header, empty if there is none.</param>
    /// <param name="partyV">The decoded "apv" header, empty if there is none.</param>
    /// <param name="destination">Where the key goes.</param>
    public static void DeriveSha256(
        ReadOnlySpan<byte> sharedSecret, string algorithm, ReadOnlySpan<byte> partyU, ReadOnlySpan<byte> partyV, Span<byte> destination)
    {
        if (destination.Length is 0 or > 64)
            throw new ArgumentOutOfRangeException(nameof(destination));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        var bits = destination.Length * 8;
        for (uint counter = 1; destination.Length > 0; counter++)
        {
            AppendUInt32(hash, counter);
            hash.AppendData(sharedSecret);
            AppendField(hash, Encoding.ASCII.GetBytes(algorithm));
            AppendField(hash, partyU);
            AppendField(hash, partyV);
            AppendUInt32(hash, (uint)bits);
            hash.GetHashAndReset(digest);
            var take = Math.Min(digest.Length, destination.Length);
            digest[..take].CopyTo(destination);
            destination = destination[take..];
        }

        CryptographicOperations.ZeroMemory(digest);
    }

    private static void AppendField(IncrementalHash hash, ReadOnlySpan<byte> value)
    {
        AppendUInt32(hash, (uint)value.Length);
        hash.AppendData(value);
    }

    private static void AppendUInt32(IncrementalHash hash, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        hash.AppendData(bytes);
    }
}
