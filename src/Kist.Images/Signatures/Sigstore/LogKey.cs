using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>The public key of a transparency or certificate log.</summary>
public sealed class LogKey
{
    private readonly byte[] _publicKey;

    /// <summary>Takes a key.</summary>
    /// <param name="publicKey">SubjectPublicKeyInfo in DER.</param>
    /// <param name="from">The first moment at which it counts; null for always.</param>
    /// <param name="until">The last; null for ever.</param>
    /// <exception cref="MalformedDataException">It is no elliptic or RSA key.</exception>
    public LogKey(byte[] publicKey, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        _publicKey = publicKey;
        (From, Until) = (from, until);
        Id = SHA256.HashData(publicKey);
        using var key = Import();
    }

    /// <summary>SHA-256 of the key, by which entries and timestamps name their log.</summary>
    public byte[] Id { get; }

    /// <summary>The first moment at which the key counts; null for always.</summary>
    public DateTimeOffset? From { get; }

    /// <summary>The last; null for ever.</summary>
    public DateTimeOffset? Until { get; }

    /// <summary>Reads a key in PEM.</summary>
    public static LogKey FromPem(ReadOnlySpan<byte> pem)
    {
        using var key = CosignSignatures.ReadPublicKey(pem);
        return new LogKey(key.ExportSubjectPublicKeyInfo());
    }

    /// <summary>True if the key counts at a time.</summary>
    public bool IsValidAt(DateTimeOffset time) => (From is null || From <= time) && (Until is null || time <= Until);

    /// <summary>Verifies a signature by SHA-256.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using var key = Import();
        return key switch
        {
            ECDsa ec => ec.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence),
            RSA rsa => rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            _ => false,
        };
    }

    private AsymmetricAlgorithm Import()
    {
        PublicKey key;
        try
        {
            key = PublicKey.CreateFromSubjectPublicKeyInfo(_publicKey, out var read);
            if (read != _publicKey.Length)
                throw new MalformedDataException("log key", read, "there is more after it");
        }
        catch (CryptographicException e)
        {
            throw new MalformedDataException("log key", -1, "it is no public key", e);
        }

        return (AsymmetricAlgorithm?)key.GetECDsaPublicKey() ?? key.GetRSAPublicKey() ?? throw new MalformedDataException("log key", -1, $"keys of the type {key.Oid.Value} are not known");
    }
}
