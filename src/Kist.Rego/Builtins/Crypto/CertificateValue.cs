using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Kist.Rego.Builtins;

/// <summary>A certificate as the value that policies see: the members of Go's x509.Certificate, in its JSON form.</summary>
static class CertificateValue
{
    private static readonly (string Oid, int Number)[] ExtendedUsages =
    [
        ("2.5.29.37.0", 0), ("1.3.6.1.5.5.7.3.1", 1), ("1.3.6.1.5.5.7.3.2", 2), ("1.3.6.1.5.5.7.3.3", 3),
        ("1.3.6.1.5.5.7.3.4", 4), ("1.3.6.1.5.5.7.3.8", 8), ("1.3.6.1.5.5.7.3.9", 9),
    ];

    public static RegoObject Of(X509Certificate2 certificate)
    {
        var basic = certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault();
        var names = AlternativeNames(certificate);
        var isCa = basic is { CertificateAuthority: true };
        return (RegoObject)RegoValue.ObjectOf(
            ("Raw", Base64(certificate.RawData)),
            ("RawSubject", Base64(certificate.SubjectName.RawData)),
            ("RawIssuer", Base64(certificate.IssuerName.RawData)),
            ("RawSubjectPublicKeyInfo", Base64(certificate.PublicKey.ExportSubjectPublicKeyInfo())),
            ("Version", RegoValue.Of(certificate.Version)),
            ("SerialNumber", RegoValue.Of(new BigInteger(certificate.SerialNumberBytes.Span, isUnsigned: false, isBigEndian: true))),
            ("Issuer", DistinguishedName.Of(certificate.IssuerName)),
            ("Subject", DistinguishedName.Of(certificate.SubjectName)),
            ("NotBefore", Time(certificate.NotBefore)),
            ("NotAfter", Time(certificate.NotAfter)),
            ("KeyUsage", RegoValue.Of(KeyUsage(certificate))),
            ("ExtKeyUsage", ExtendedKeyUsage(certificate)),
            ("UnknownExtKeyUsage", RegoValue.Null),
            ("BasicConstraintsValid", RegoValue.Of(basic is not null)),
            ("IsCA", RegoValue.Of(isCa)),
            ("MaxPathLen", RegoValue.Of(basic is { HasPathLengthConstraint: true } ? basic.PathLengthConstraint : basic is null ? 0 : -1)),
            ("MaxPathLenZero", RegoValue.Of(basic is { HasPathLengthConstraint: true, PathLengthConstraint: 0 })),
            ("SubjectKeyId", KeyId(certificate)),
            ("AuthorityKeyId", AuthorityKeyId(certificate)),
            ("DNSNames", names.Dns),
            ("EmailAddresses", names.Email),
            ("IPAddresses", names.Addresses),
            ("URIs", names.Uris),
            ("URIStrings", names.Uris),
            ("PublicKeyAlgorithm", RegoValue.Of(certificate.PublicKey.Oid.Value switch { "1.2.840.113549.1.1.1" => 1, "1.2.840.10045.2.1" => 3, "1.3.101.112" => 4, _ => 0 })),
            ("SignatureAlgorithm", RegoValue.Of(SignatureAlgorithm(certificate.SignatureAlgorithm.Value))),
            ("PublicKey", PublicKey(certificate)),
            ("Extensions", Extensions(certificate)));
    }

    public static RegoValue Base64(ReadOnlySpan<byte> bytes) => RegoValue.Of(Convert.ToBase64String(bytes));

    public static RegoValue PublicKey(X509Certificate2 certificate)
    {
        using var rsa = certificate.GetRSAPublicKey();
        if (rsa is not null)
        {
            var p = rsa.ExportParameters(false);
            return RegoValue.ObjectOf(
                ("N", RegoValue.Of(new BigInteger(p.Modulus, isUnsigned: true, isBigEndian: true))),
                ("E", RegoValue.Of(new BigInteger(p.Exponent, isUnsigned: true, isBigEndian: true))));
        }

        using var ec = certificate.GetECDsaPublicKey();
        if (ec is null)
            return RegoValue.Null;
        var point = ec.ExportParameters(false).Q;
        return RegoValue.ObjectOf(
            ("Curve", RegoValue.ObjectOf()),
            ("X", RegoValue.Of(new BigInteger(point.X, isUnsigned: true, isBigEndian: true))),
            ("Y", RegoValue.Of(new BigInteger(point.Y, isUnsigned: true, isBigEndian: true))));
    }

    private static RegoValue Time(DateTime local) => RegoValue.Of(local.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));

    /// <summary>Bit 0 is digitalSignature, as in Go.</summary>
    private static int KeyUsage(X509Certificate2 certificate)
    {
        var flags = certificate.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault()?.KeyUsages ?? 0;
        (X509KeyUsageFlags Flag, int Bit)[] bits =
        [
            (X509KeyUsageFlags.DigitalSignature, 1), (X509KeyUsageFlags.NonRepudiation, 2), (X509KeyUsageFlags.KeyEncipherment, 4),
            (X509KeyUsageFlags.DataEncipherment, 8), (X509KeyUsageFlags.KeyAgreement, 16), (X509KeyUsageFlags.KeyCertSign, 32),
            (X509KeyUsageFlags.CrlSign, 64), (X509KeyUsageFlags.EncipherOnly, 128), (X509KeyUsageFlags.DecipherOnly, 256),
        ];
        return bits.Where(b => flags.HasFlag(b.Flag)).Sum(b => b.Bit);
    }

    private static RegoValue ExtendedKeyUsage(X509Certificate2 certificate)
    {
        var usages = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault()?.EnhancedKeyUsages;
        if (usages is null)
            return RegoValue.Null;
        var known = usages.Cast<Oid>().SelectMany(o => ExtendedUsages.Where(u => u.Oid == o.Value)).Select(u => RegoValue.Of(u.Number));
        return RegoValue.ArrayOf([.. known]);
    }

    private static RegoValue KeyId(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault() is { } id ? Base64(id.SubjectKeyIdentifierBytes.Span) : RegoValue.Null;

    private static RegoValue AuthorityKeyId(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier is { } id ? Base64(id.Span) : RegoValue.Null;

    private static RegoValue Extensions(X509Certificate2 certificate) => RegoValue.ArrayOf([.. certificate.Extensions.Select(e => RegoValue.ObjectOf(
        ("Id", RegoValue.ArrayOf([.. e.Oid!.Value!.Split('.').Select(n => RegoValue.Of(BigInteger.Parse(n, CultureInfo.InvariantCulture)))])),
        ("Critical", RegoValue.Of(e.Critical)),
        ("Value", Base64(e.RawData))))]);

    /// <summary>Go's numbers of signature algorithms.</summary>
    private static int SignatureAlgorithm(string? oid) => oid switch
    {
        "1.2.840.113549.1.1.5" => 3,
        "1.2.840.113549.1.1.11" => 4,
        "1.2.840.113549.1.1.12" => 5,
        "1.2.840.113549.1.1.13" => 6,
        "1.2.840.10045.4.1" => 9,
        "1.2.840.10045.4.3.2" => 10,
        "1.2.840.10045.4.3.3" => 11,
        "1.2.840.10045.4.3.4" => 12,
        "1.3.101.112" => 16,
        _ => 0,
    };

    private static (RegoValue Dns, RegoValue Email, RegoValue Addresses, RegoValue Uris) AlternativeNames(X509Certificate2 certificate)
    {
        var extension = certificate.Extensions.FirstOrDefault(e => e.Oid?.Value == "2.5.29.17");
        return extension is null ? (RegoValue.Null, RegoValue.Null, RegoValue.Null, RegoValue.Null) : SubjectAlternativeNames.Read(extension.RawData);
    }
}
