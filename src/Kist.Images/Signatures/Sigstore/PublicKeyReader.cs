using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>Public keys that signatures are verified by: elliptic, RSA, Ed25519.</summary>
static class PublicKeyReader
{
    /// <summary>Reads a SubjectPublicKeyInfo in DER.</summary>
    /// <exception cref="MalformedDataException">It is none, or of another kind.</exception>
    public static AsymmetricAlgorithm Read(ReadOnlySpan<byte> publicKeyInfo)
    {
        if (Ed25519PublicKey.TryRead(publicKeyInfo) is { } ed25519)
            return ed25519;
        try
        {
            var key = PublicKey.CreateFromSubjectPublicKeyInfo(publicKeyInfo, out var read);
            if (read != publicKeyInfo.Length)
                throw new MalformedDataException("public key", read, "there is more after it");
            return (AsymmetricAlgorithm?)key.GetECDsaPublicKey() ?? key.GetRSAPublicKey()
                ?? throw new MalformedDataException("public key", -1, $"keys of the type {key.Oid.Value} are not known");
        }
        catch (CryptographicException e)
        {
            throw new MalformedDataException("public key", -1, "it is no public key", e);
        }
    }

    /// <summary>Reads a public key in PEM.</summary>
    /// <exception cref="MalformedDataException">It is none, or of another kind.</exception>
    public static AsymmetricAlgorithm ReadPem(ReadOnlySpan<byte> pem)
    {
        var text = System.Text.Encoding.UTF8.GetString(pem);
        if (PemEncoding.TryFind(text, out var fields) && text.AsSpan()[fields.Label] is "PUBLIC KEY")
            return Read(Convert.FromBase64String(text[fields.Base64Data]));
        // "RSA PUBLIC KEY", and what else the library knows.
        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(text);
            return rsa;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            rsa.Dispose();
            throw new MalformedDataException("public key", -1, "it is no elliptic, RSA or Ed25519 public key in PEM", e);
        }
    }
}
