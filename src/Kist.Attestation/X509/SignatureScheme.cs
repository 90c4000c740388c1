using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Attestation.X509;

/// <summary>Signature algorithms that are accepted. SHA-1 and RSA-PSS with odd parameters are among the unsupported.</summary>
internal enum SignatureScheme
{
    Unsupported,
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
    RsaPkcs1Sha256,
    RsaPkcs1Sha384,
    RsaPkcs1Sha512,
    RsaPssSha256,
    RsaPssSha384,
    RsaPssSha512,
}

/// <summary>Reads AlgorithmIdentifier (RFC 5280 §4.1.1.2, RFC 4055, RFC 5758).</summary>
internal static class SignatureSchemes
{
    /// <summary>Reads the contents of an AlgorithmIdentifier.</summary>
    public static SignatureScheme Read(DerCursor algorithm)
    {
        var id = algorithm.Read(DerTag.ObjectIdentifier, "algorithm");
        if (id.SequenceEqual(ObjectId.EcdsaSha256))
            return SignatureScheme.EcdsaSha256;
        if (id.SequenceEqual(ObjectId.EcdsaSha384))
            return SignatureScheme.EcdsaSha384;
        if (id.SequenceEqual(ObjectId.EcdsaSha512))
            return SignatureScheme.EcdsaSha512;
        if (id.SequenceEqual(ObjectId.RsaSha256))
            return SignatureScheme.RsaPkcs1Sha256;
        if (id.SequenceEqual(ObjectId.RsaSha384))
            return SignatureScheme.RsaPkcs1Sha384;
        if (id.SequenceEqual(ObjectId.RsaSha512))
            return SignatureScheme.RsaPkcs1Sha512;
        return id.SequenceEqual(ObjectId.RsaPss) && !algorithm.IsEmpty
            ? ReadPss(algorithm.ReadSequence("RSASSA-PSS parameters"))
            : SignatureScheme.Unsupported;
    }

    public static HashAlgorithmName HashOf(SignatureScheme scheme) => scheme switch
    {
        SignatureScheme.EcdsaSha256 or SignatureScheme.RsaPkcs1Sha256 or SignatureScheme.RsaPssSha256 => HashAlgorithmName.SHA256,
        SignatureScheme.EcdsaSha384 or SignatureScheme.RsaPkcs1Sha384 or SignatureScheme.RsaPssSha384 => HashAlgorithmName.SHA384,
        SignatureScheme.EcdsaSha512 or SignatureScheme.RsaPkcs1Sha512 or SignatureScheme.RsaPssSha512 => HashAlgorithmName.SHA512,
        _ => throw new InvalidOperationException("an unsupported signature scheme has no hash"),
    };

    /// <summary>
    /// RSASSA-PSS-params (RFC 4055 §3.1). Accepted only as everyone uses it: MGF1 with the same hash, a salt as long as
    /// the hash, trailer field 1. The defaults are SHA-1, so that absent fields are unsupported.
    /// </summary>
    private static SignatureScheme ReadPss(DerCursor parameters)
    {
        if (parameters.PeekTag() != DerTag.Context(0))
            return SignatureScheme.Unsupported;
        var explicitHash = parameters.ReadConstructed(DerTag.Context(0), "hashAlgorithm");
        var hash = ReadHash(explicitHash.ReadSequence("hashAlgorithm"));
        if (parameters.PeekTag() != DerTag.Context(1))
            return SignatureScheme.Unsupported;
        var explicitMgf = parameters.ReadConstructed(DerTag.Context(1), "maskGenAlgorithm");
        var mgf = explicitMgf.ReadSequence("maskGenAlgorithm");
        if (!mgf.Read(DerTag.ObjectIdentifier, "maskGenAlgorithm").SequenceEqual(ObjectId.Mgf1)
            || ReadHash(mgf.ReadSequence("mask hash")) != hash
            || parameters.PeekTag() != DerTag.Context(2))
        {
            return SignatureScheme.Unsupported;
        }

        var explicitSalt = parameters.ReadConstructed(DerTag.Context(2), "saltLength");
        var salt = explicitSalt.ReadInt32("saltLength", 512);
        if (!parameters.IsEmpty)
        {
            var explicitTrailer = parameters.ReadConstructed(DerTag.Context(3), "trailerField");
            if (explicitTrailer.ReadInt32("trailerField", 255) != 1)
                return SignatureScheme.Unsupported;
        }

        return (hash, salt) switch
        {
            (SignatureScheme.RsaPssSha256, 32) or (SignatureScheme.RsaPssSha384, 48) or (SignatureScheme.RsaPssSha512, 64) => hash,
            _ => SignatureScheme.Unsupported,
        };
    }

    private static SignatureScheme ReadHash(DerCursor algorithm)
    {
        var id = algorithm.Read(DerTag.ObjectIdentifier, "hash");
        if (id.SequenceEqual(ObjectId.Sha256))
            return SignatureScheme.RsaPssSha256;
        if (id.SequenceEqual(ObjectId.Sha384))
            return SignatureScheme.RsaPssSha384;
        return id.SequenceEqual(ObjectId.Sha512) ? SignatureScheme.RsaPssSha512 : SignatureScheme.Unsupported;
    }
}
