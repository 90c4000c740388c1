namespace Kist.Enclaves.Signing;

/// <summary>A key that can sign enclaves: RSA-3072 with public exponent 3.</summary>
public interface ISigstructSigner
{
    /// <summary>The modulus, 384 bytes, most significant byte first.</summary>
    ReadOnlySpan<byte> Modulus { get; }

    /// <summary>Signs by RSASSA-PKCS1-v1_5 with SHA-256. 384 bytes, most significant byte first.</summary>
    byte[] Sign(ReadOnlySpan<byte> message);
}
