using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.Cli.Commands.Verify;

/// <summary>
/// A root named on the command line: a trust anchor file, or VENDOR=FILE with a certificate, a PEM public key or a JWK, whose
/// key is pinned.
/// </summary>
static class TrustAnchorArgument
{
    /// <summary>The built-in roots and the named ones.</summary>
    public static TrustAnchorSet ReadAll(string[]? texts) => (texts ?? []).Aggregate(VendorAnchors.All, (set, text) => set.With(Read(text)));

    public static TrustAnchor Read(string text)
    {
        if (File.Exists(text))
            return TrustAnchorJson.Parse(EvidenceFiles.Read(text));
        if (text.Split('=', 2) is not [{ Length: > 0 } vendor, { Length: > 0 } path])
            throw new OperationFailedException("read trust anchor", text, "no such file", "name a trust anchor file, or VENDOR=FILE such as intel=root.pem, tpm=ak.pub or ear=verifier.jwk");
        var data = EvidenceFiles.Read(path, EvidenceLimits.CertificateChain);
        if (PublicKeyOf(data, path) is { } spki)
            return new TrustAnchor(vendor, Path.GetFileName(path), [.. SHA256.HashData(spki)], IsSimulated: false, path);
        try
        {
            using var certificate = data.AsSpan().IndexOf("-----BEGIN"u8) >= 0
                ? X509CertificateLoader.LoadCertificate(PemBytes(data))
                : X509CertificateLoader.LoadCertificate(data);
            var hash = SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());
            return new TrustAnchor(vendor, certificate.Subject, [.. hash], IsSimulated: false, path);
        }
        catch (CryptographicException e)
        {
            throw new MalformedDataException("trust anchor certificate", -1, $"{path} is no certificate", e);
        }
    }

    /// <summary>SubjectPublicKeyInfo of a file that holds a bare key; null if it holds something else.</summary>
    private static byte[]? PublicKeyOf(byte[] data, string path)
    {
        var text = System.Text.Encoding.ASCII.GetString(data).Trim();
        if (PemEncoding.TryFind(text, out var fields) && text[fields.Label] == "PUBLIC KEY")
            return Convert.FromBase64String(text[fields.Base64Data]);
        if (!text.StartsWith('{'))
            return null;
        switch (JsonWebKey.Parse(System.Text.Encoding.UTF8.GetBytes(text)))
        {
            case EcJsonWebKey ec:
                using (var key = ec.CreateECDsa())
                    return key.ExportSubjectPublicKeyInfo();
            case RsaJsonWebKey rsa:
                using (var key = rsa.CreateRsa())
                    return key.ExportSubjectPublicKeyInfo();
            default:
                throw new MalformedDataException("trust anchor key", -1, $"{path} is a JWK of another kind than EC and RSA");
        }
    }

    private static byte[] PemBytes(byte[] data)
    {
        var text = System.Text.Encoding.ASCII.GetString(data);
        return PemEncoding.TryFind(text, out var fields) ? Convert.FromBase64String(text[fields.Base64Data]) : [];
    }
}
