namespace Kist.Formats.Jose;

/// <summary>
/// The algorithms that Kist speaks in JSON Web Encryption. RSA1_5 is not among them: whoever decrypts it becomes an
/// oracle (Bleichenbacher).
/// </summary>
public static class JweAlgorithms
{
    /// <summary>RSAES OAEP with SHA-1 (RFC 7518 section 4.3): what ocicrypt writes for RSA recipients.</summary>
    public const string RsaOaep = "RSA-OAEP";

    /// <summary>RSAES OAEP with SHA-256 and MGF1 with SHA-256 (RFC 7518 section 4.3).</summary>
    public const string RsaOaep256 = "RSA-OAEP-256";

    /// <summary>ECDH-ES with AES-256 key wrap (RFC 7518 section 4.6).</summary>
    public const string EcdhEsA256KW = "ECDH-ES+A256KW";

    /// <summary>AES-256 in GCM (RFC 7518 section 5.3): the one content encryption that is written.</summary>
    public const string A256Gcm = "A256GCM";

    /// <summary>Bytes of the wrapping key of an ECDH-ES algorithm with key wrap, or 0 for another algorithm.</summary>
    internal static int WrappingKeySize(string algorithm) => algorithm switch
    {
        "ECDH-ES+A128KW" => 16,
        "ECDH-ES+A192KW" => 24,
        EcdhEsA256KW => 32,
        _ => 0,
    };

    /// <summary>Bytes of the content key of an AES-GCM encryption, or 0 for another one.</summary>
    internal static int ContentKeySize(string encryption) => encryption switch
    {
        "A128GCM" => 16,
        "A192GCM" => 24,
        A256Gcm => 32,
        _ => 0,
    };
}
