using System.Security.Cryptography;

namespace Kist.Formats.Jose;

/// <summary>Elliptic Curve Diffie-Hellman, ephemeral-static (RFC 7518 section 4.6).</summary>
static class EcdhEs
{
    /// <summary>Agrees on a secret with the other party and derives the wrapping key from it.</summary>
    public static void Agree(
        ECDiffieHellman own, EcJsonWebKey other, string algorithm, ReadOnlySpan<byte> partyU, ReadOnlySpan<byte> partyV, Span<byte> destination)
    {
        using var otherKey = other.CreateECDiffieHellman();
        using var otherPublic = otherKey.PublicKey;
        var secret = own.DeriveRawSecretAgreement(otherPublic);
        try
        {
            ConcatKdf.DeriveSha256(secret, algorithm, partyU, partyV, destination);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }
}
