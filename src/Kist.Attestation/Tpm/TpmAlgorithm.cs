using System.Security.Cryptography;

namespace Kist.Attestation.Tpm;

/// <summary>Algorithm identifiers of TPM 2.0 that occur in quotes (TCG Algorithm Registry; TPM 2.0 Library part 2 section 6.3).</summary>
public enum TpmAlgorithm : ushort
{
    /// <summary>TPM_ALG_SHA1.</summary>
    Sha1 = 0x0004,

    /// <summary>TPM_ALG_SHA256.</summary>
    Sha256 = 0x000B,

    /// <summary>TPM_ALG_SHA384.</summary>
    Sha384 = 0x000C,

    /// <summary>TPM_ALG_SHA512.</summary>
    Sha512 = 0x000D,

    /// <summary>TPM_ALG_NULL.</summary>
    Null = 0x0010,

    /// <summary>TPM_ALG_RSASSA: PKCS #1 v1.5.</summary>
    RsaSsa = 0x0014,

    /// <summary>TPM_ALG_RSAPSS.</summary>
    RsaPss = 0x0016,

    /// <summary>TPM_ALG_ECDSA.</summary>
    Ecdsa = 0x0018,
}

/// <summary>Hash algorithms of TPM 2.0 as the platform knows them.</summary>
public static class TpmAlgorithms
{
    /// <summary>The hash, or null if it is not one that is accepted in a signature or a PCR bank (SHA-1 is not).</summary>
    public static HashAlgorithmName? Hash(this TpmAlgorithm algorithm) => algorithm switch
    {
        TpmAlgorithm.Sha256 => HashAlgorithmName.SHA256,
        TpmAlgorithm.Sha384 => HashAlgorithmName.SHA384,
        TpmAlgorithm.Sha512 => HashAlgorithmName.SHA512,
        _ => null,
    };

    /// <summary>Size of a digest in bytes; 0 for what is not a hash.</summary>
    public static int DigestSize(this TpmAlgorithm algorithm) => algorithm switch
    {
        TpmAlgorithm.Sha1 => 20,
        TpmAlgorithm.Sha256 => 32,
        TpmAlgorithm.Sha384 => 48,
        TpmAlgorithm.Sha512 => 64,
        _ => 0,
    };
}
