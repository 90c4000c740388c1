using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Kist.Simulator.Crypto;

/// <summary>Lets the platform's certificate and CRL builders sign with a <see cref="DeterministicEcdsa"/>.</summary>
sealed class DeterministicSignatureGenerator(DeterministicEcdsa key) : X509SignatureGenerator
{
    public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm)
    {
        RequireHash(hashAlgorithm);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
            writer.WriteObjectIdentifier(hashAlgorithm == HashAlgorithmName.SHA256 ? "1.2.840.10045.4.3.2" : "1.2.840.10045.4.3.3");
        return writer.Encode();
    }

    public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm)
    {
        RequireHash(hashAlgorithm);
        return key.SignDer(data);
    }

    protected override PublicKey BuildPublicKey()
    {
        using var ecdsa = key.CreatePublicKey();
        return new PublicKey(ecdsa);
    }

    private void RequireHash(HashAlgorithmName hashAlgorithm)
    {
        if (hashAlgorithm != key.Hash)
            throw new ArgumentException($"this key signs with {key.Hash}", nameof(hashAlgorithm));
    }
}
