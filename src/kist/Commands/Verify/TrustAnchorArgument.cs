using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;
using Kist.Formats;

namespace Kist.Cli.Commands.Verify;

/// <summary>A root named on the command line: a trust anchor file, or VENDOR=CERTIFICATE.</summary>
static class TrustAnchorArgument
{
    public static TrustAnchor Read(string text)
    {
        if (File.Exists(text))
            return TrustAnchorJson.Parse(EvidenceFiles.Read(text));
        if (text.Split('=', 2) is not [{ Length: > 0 } vendor, { Length: > 0 } path])
            throw new OperationFailedException("read trust anchor", text, "no such file", "name a trust anchor file, or VENDOR=CERTIFICATE such as intel=root.pem");
        var data = EvidenceFiles.Read(path, EvidenceLimits.CertificateChain);
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

    private static byte[] PemBytes(byte[] data)
    {
        var text = System.Text.Encoding.ASCII.GetString(data);
        return PemEncoding.TryFind(text, out var fields) ? Convert.FromBase64String(text[fields.Base64Data]) : [];
    }
}
