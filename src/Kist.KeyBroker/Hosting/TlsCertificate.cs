using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;

namespace Kist.KeyBroker.Hosting;

/// <summary>The broker's own certificate: self-signed, P-256, kept beside the database, and made anew when it runs out.</summary>
static class TlsCertificate
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(825);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    public static X509Certificate2 LoadOrCreate(string folder, IReadOnlyList<string> names, DateTimeOffset now)
    {
        var certificatePath = Path.Combine(folder, "tls.crt");
        var keyPath = Path.Combine(folder, "tls.key");
        if (File.Exists(certificatePath) && File.Exists(keyPath))
        {
            try
            {
                var stored = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
                if (stored.NotAfter.ToUniversalTime() - RenewBefore > now.UtcDateTime)
                    return stored;
                stored.Dispose();
            }
            catch (CryptographicException e)
            {
                throw new OperationFailedException("read the broker's certificate", certificatePath, e.Message, "restore tls.crt and tls.key, or remove both to have new ones made", inner: e);
            }
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Create(key, names, now);
        PrivateFile.Write(keyPath, key.ExportPkcs8PrivateKeyPem() + "\n");
        PrivateFile.Write(certificatePath, certificate.ExportCertificatePem() + "\n");
        return certificate.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 Create(ECDsa key, IReadOnlyList<string> names, DateTimeOffset now)
    {
        var request = new CertificateRequest("CN=Kist key broker", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        alternatives.AddDnsName("localhost");
        alternatives.AddIpAddress(IPAddress.Loopback);
        alternatives.AddIpAddress(IPAddress.IPv6Loopback);
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }

        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var selfSigned = request.CreateSelfSigned(now.AddMinutes(-5), now + Lifetime);
        return X509CertificateLoader.LoadCertificate(selfSigned.RawData);
    }
}
