namespace Kist.Attestation.X509;

/// <summary>Bits of the key usage extension as <see cref="Certificate.KeyUsage"/> holds them (RFC 5280 §4.2.1.3).</summary>
internal static class KeyUsages
{
    public const int DigitalSignature = 0x8000;
    public const int KeyCertSign = 0x0400;
    public const int CrlSign = 0x0200;
}
