using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>An authority that issues certificates: for signing, or for timestamps.</summary>
public sealed class SigningAuthority
{
    /// <summary>The purpose of a signer's certificate (id-kp-codeSigning).</summary>
    internal const string CodeSigning = "1.3.6.1.5.5.7.3.3";

    /// <summary>The purpose of a timestamp authority's certificate (id-kp-timeStamping).</summary>
    internal const string TimeStamping = "1.3.6.1.5.5.7.3.8";

    private readonly string _purpose;
    private readonly X509Certificate2Collection _roots = [];
    private readonly X509Certificate2Collection _intermediates = [];

    /// <summary>Takes an authority's certificates.</summary>
    /// <param name="certificates">Roots, which issued themselves, and intermediate ones.</param>
    /// <param name="from">The first moment at which it counts; null for always.</param>
    /// <param name="until">The last; null for ever.</param>
    public SigningAuthority(IEnumerable<X509Certificate2> certificates, DateTimeOffset? from = null, DateTimeOffset? until = null)
        : this(certificates, from, until, CodeSigning)
    {
    }

    /// <summary>Takes an authority's certificates.</summary>
    /// <param name="certificates">Roots, which issued themselves, and others.</param>
    /// <param name="from">The first moment at which it counts; null for always.</param>
    /// <param name="until">The last; null for ever.</param>
    /// <param name="purpose">What its certificates must be for.</param>
    internal SigningAuthority(IEnumerable<X509Certificate2> certificates, DateTimeOffset? from, DateTimeOffset? until, string purpose)
    {
        _purpose = purpose;
        foreach (var certificate in certificates)
            (certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData) ? _roots : _intermediates).Add(certificate);
        if (_roots.Count == 0)
            throw new MalformedDataException("signing authority", -1, "it has no root certificate");
        (From, Until) = (from, until);
    }

    /// <summary>The first moment at which it counts; null for always.</summary>
    public DateTimeOffset? From { get; }

    /// <summary>The last; null for ever.</summary>
    public DateTimeOffset? Until { get; }

    /// <summary>All its certificates.</summary>
    internal IEnumerable<X509Certificate2> Certificates => _roots.Concat(_intermediates);

    /// <summary>Reads certificates in PEM.</summary>
    public static SigningAuthority FromPem(params IEnumerable<byte[]> files)
    {
        var certificates = new X509Certificate2Collection();
        foreach (var pem in files)
        {
            try
            {
                certificates.ImportFromPem(System.Text.Encoding.UTF8.GetString(pem));
            }
            catch (CryptographicException e)
            {
                throw new MalformedDataException("signing authority", -1, "it is no certificate in PEM", e);
            }
        }

        return new SigningAuthority(certificates);
    }

    /// <summary>The issuer of a certificate, if this authority issued it for its purpose and it was valid at a time.</summary>
    /// <param name="certificate">The signer's certificate.</param>
    /// <param name="chain">Intermediate certificates that came with it; nothing vouches for them.</param>
    /// <param name="time">When it signed.</param>
    /// <param name="issuer">The certificate that issued it.</param>
    /// <returns>Why not, or null.</returns>
    public string? Verify(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> chain, DateTimeOffset time, out X509Certificate2? issuer)
    {
        issuer = null;
        if (From > time || Until < time)
            return "the authority did not count any more, or not yet, when the image was signed";
        using var builder = new X509Chain { ChainPolicy = PolicyFor(chain, time) };
        var isGood = builder.Build(certificate);
        if (!isGood || builder.ChainElements.Count < 2)
            return "the certificate is not by a trusted authority, or was not valid when the image was signed: " + string.Join(", ", builder.ChainStatus.Select(s => s.Status).Distinct());
        issuer = X509CertificateLoader.LoadCertificate(builder.ChainElements[1].Certificate.RawData);
        return null;
    }

    private X509ChainPolicy PolicyFor(IReadOnlyList<X509Certificate2> chain, DateTimeOffset time)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = time.UtcDateTime,
            VerificationTimeIgnored = false,
        };
        policy.ApplicationPolicy.Add(new Oid(_purpose));
        policy.CustomTrustStore.AddRange(_roots);
        policy.ExtraStore.AddRange(_intermediates);
        foreach (var certificate in chain)
            policy.ExtraStore.Add(certificate);
        return policy;
    }
}
