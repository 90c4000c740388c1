using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;

namespace Kist.KeyBroker.Hosting;

/// <summary>The broker's own certificate: self-signed, P-256, kept beside the database, and made anew when it runs out.</summary>
static class TlsCertificate
{
    private const string Subject = "CN=Kist key broker";

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(825);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>
    /// The certificate of the folder, with those of its issuers that are in its file; made if there is none, and made anew if
    /// it is one of the broker's own that ends soon. One that somebody put there is never replaced.
    /// </summary>
    /// <exception cref="OperationFailedException">The files are no certificate and its key.</exception>
    public static (X509Certificate2 Certificate, X509Certificate2Collection Issuers) LoadOrCreate(string folder, IReadOnlyList<string> names, DateTimeOffset now)
    {
        var (certificatePath, keyPath) = Paths(folder);
        if (File.Exists(certificatePath) && File.Exists(keyPath))
        {
            try
            {
                var stored = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
                if (!EndsSoon(stored, now))
                    return (stored, Issuers(certificatePath));
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
        return (certificate.CopyWithPrivateKey(key), []);
    }

    /// <summary>True for one of the broker's own that is to be made anew.</summary>
    public static bool EndsSoon(X509Certificate2 certificate, DateTimeOffset now) =>
        certificate.Subject == Subject && certificate.Issuer == Subject && certificate.NotAfter.ToUniversalTime() - RenewBefore <= now.UtcDateTime;

    /// <summary>Changes when one of the files does.</summary>
    public static string StampOf(string folder)
    {
        var (certificate, key) = Paths(folder);
        return string.Create(CultureInfo.InvariantCulture, $"{File.GetLastWriteTimeUtc(certificate).Ticks}/{File.GetLastWriteTimeUtc(key).Ticks}");
    }

    private static (string Certificate, string Key) Paths(string folder) => (Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key"));

    private static X509Certificate2Collection Issuers(string path)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(path);
        all.RemoveAt(0);
        return all;
    }

    private static X509Certificate2 Create(ECDsa key, IReadOnlyList<string> names, DateTimeOffset now)
    {
        var request = new CertificateRequest(Subject, key, HashAlgorithmName.SHA256);
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
