using System.Text;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Snp;

/// <summary>
/// What AMD's extensions of a VCEK or VLEK certificate say (AMD 57230 section 3.1, table 8; OIDs under 1.3.6.1.4.1.3704.1).
/// <code>
/// .1 structVersion  .2 productName1  .3.1 blSPL  .3.2 teeSPL  .3.3 snpSPL  .3.8 ucodeSPL  .3.9 fmcSPL  .4 hwID  .5 cspID
/// </code>
/// </summary>
/// <param name="ProductName">productName1, such as "Milan-B0".</param>
/// <param name="Tcb">The TCB the key was derived from.</param>
/// <param name="HardwareId">hwID: 64 bytes, or 8 for Turin; null in a VLEK.</param>
/// <param name="CloudProviderId">cspID of a VLEK; null in a VCEK.</param>
internal sealed record SnpCertificateExtensions(
    string ProductName, SnpTcbVersion Tcb, ReadOnlyMemory<byte>? HardwareId, string? CloudProviderId)
{
    private const string Structure = "AMD certificate extensions";

    public SnpProduct Product => SnpProducts.FromName(ProductName);

    private static ReadOnlySpan<byte> Arc => [0x2B, 0x06, 0x01, 0x04, 0x01, 0x9C, 0x78, 0x01];

    /// <summary>True if the certificate is of a VCEK or VLEK, by its having a product name.</summary>
    public static bool IsIn(Certificate certificate) => Find(certificate, 2) is not null;

    public static SnpCertificateExtensions Read(Certificate certificate)
    {
        var name = ReadText(certificate, 2) ?? throw new MalformedDataException(Structure, -1, "productName1 is missing");
        var tcb = new SnpTcbVersion(
            ReadSvn(certificate, 9), RequireSvn(certificate, 1), RequireSvn(certificate, 2), RequireSvn(certificate, 3),
            RequireSvn(certificate, 8));
        return new SnpCertificateExtensions(name, tcb, ReadHardwareId(certificate), ReadText(certificate, 5));
    }

    private static ReadOnlyMemory<byte>? Find(Certificate certificate, params ReadOnlySpan<byte> suffix) =>
        certificate.Find([.. Arc, .. suffix])?.Value;

    private static byte RequireSvn(Certificate certificate, byte part) => ReadSvn(certificate, part)
        ?? throw new MalformedDataException(Structure, -1, $"1.3.6.1.4.1.3704.1.3.{part} is missing");

    private static byte? ReadSvn(Certificate certificate, byte part)
    {
        if (Find(certificate, 3, part) is not { } value)
            return null;
        var cursor = new DerCursor(value.Span, Structure);
        var number = cursor.ReadInt32($"1.3.6.1.4.1.3704.1.3.{part}", byte.MaxValue);
        cursor.ExpectEnd();
        return (byte)number;
    }

    private static string? ReadText(Certificate certificate, byte part)
    {
        const byte ia5String = 0x16;
        if (Find(certificate, part) is not { } value)
            return null;
        var cursor = new DerCursor(value.Span, Structure);
        var text = Encoding.ASCII.GetString(cursor.Read(ia5String, $"1.3.6.1.4.1.3704.1.{part}"));
        cursor.ExpectEnd();
        return text;
    }

    private static ReadOnlyMemory<byte>? ReadHardwareId(Certificate certificate)
    {
        if (Find(certificate, 4) is not { } value)
            return null;
        // Issued both as the bare bytes and, by later servers, as an OCTET STRING of its own.
        if (value.Length is 66 or 10 && value.Span[0] == DerTag.OctetString && value.Span[1] == value.Length - 2)
            value = value[2..];
        return value.Length is 64 or 8
            ? value
            : throw new MalformedDataException(Structure, -1, $"hwID is {value.Length} bytes, not 64 or 8");
    }
}
