using System.Globalization;
using System.Text;

namespace Kist.Attestation.X509;

/// <summary>Object identifiers, as the contents of their DER encoding.</summary>
internal static class ObjectId
{
    // RFC 5480, RFC 5758
    public static ReadOnlySpan<byte> EcPublicKey => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    public static ReadOnlySpan<byte> P256 => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    public static ReadOnlySpan<byte> P384 => [0x2b, 0x81, 0x04, 0x00, 0x22];
    public static ReadOnlySpan<byte> P521 => [0x2b, 0x81, 0x04, 0x00, 0x23];
    public static ReadOnlySpan<byte> EcdsaSha256 => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    public static ReadOnlySpan<byte> EcdsaSha384 => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
    public static ReadOnlySpan<byte> EcdsaSha512 => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];

    // RFC 8017
    public static ReadOnlySpan<byte> RsaEncryption => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    public static ReadOnlySpan<byte> Mgf1 => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
    public static ReadOnlySpan<byte> RsaPss => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
    public static ReadOnlySpan<byte> RsaSha256 => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
    public static ReadOnlySpan<byte> RsaSha384 => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c];
    public static ReadOnlySpan<byte> RsaSha512 => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d];
    public static ReadOnlySpan<byte> Sha256 => [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    public static ReadOnlySpan<byte> Sha384 => [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
    public static ReadOnlySpan<byte> Sha512 => [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];

    // RFC 5280 §4.2
    public static ReadOnlySpan<byte> SubjectKeyIdentifier => [0x55, 0x1d, 0x0e];
    public static ReadOnlySpan<byte> KeyUsage => [0x55, 0x1d, 0x0f];
    public static ReadOnlySpan<byte> SubjectAlternativeName => [0x55, 0x1d, 0x11];
    public static ReadOnlySpan<byte> BasicConstraints => [0x55, 0x1d, 0x13];
    public static ReadOnlySpan<byte> CrlNumber => [0x55, 0x1d, 0x14];
    public static ReadOnlySpan<byte> CrlReason => [0x55, 0x1d, 0x15];
    public static ReadOnlySpan<byte> CertificatePolicies => [0x55, 0x1d, 0x20];
    public static ReadOnlySpan<byte> CrlDistributionPoints => [0x55, 0x1d, 0x1f];
    public static ReadOnlySpan<byte> AuthorityKeyIdentifier => [0x55, 0x1d, 0x23];
    public static ReadOnlySpan<byte> ExtendedKeyUsage => [0x55, 0x1d, 0x25];

    /// <summary>Dotted form of encoded contents; "(invalid)" if they are no object identifier.</summary>
    public static string Format(ReadOnlySpan<byte> contents)
    {
        var text = new StringBuilder();
        ulong value = 0;
        var digits = 0;
        foreach (var b in contents)
        {
            if (++digits > 9)
                return "(invalid)";
            value = (value << 7) | (byte)(b & 0x7f);
            if (b >= 0x80)
                continue;
            if (text.Length == 0)
            {
                var first = Math.Min(value / 40, 2);
                text.Append(CultureInfo.InvariantCulture, $"{first}.{value - (first * 40)}");
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $".{value}");
            }

            value = 0;
            digits = 0;
        }

        return digits == 0 && text.Length > 0 ? text.ToString() : "(invalid)";
    }
}
