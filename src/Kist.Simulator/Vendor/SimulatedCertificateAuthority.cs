using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Simulator.Crypto;

namespace Kist.Simulator.Vendor;

/// <summary>A key of the simulated vendor with its certificate, which can issue certificates and CRLs.</summary>
sealed class SimulatedCertificateAuthority
{
    // The names contain the words by which verifiers tell the roles apart, and say what they are.
    private const string NameSuffix = ",O=Kist Simulation (protects nothing),L=Nowhere,ST=NA,C=XX";

    private SimulatedCertificateAuthority(DeterministicEcdsa key, X509Certificate2 certificate)
    {
        Key = key;
        Certificate = certificate;
    }

    public DeterministicEcdsa Key { get; }

    public X509Certificate2 Certificate { get; }

    /// <summary>Issues a certificate to itself.</summary>
    public static SimulatedCertificateAuthority CreateRoot(DeterministicEcdsa key, string commonName, Validity validity, string crlUri)
    {
        var request = Request(key, commonName);
        AddExtensions(request, request.PublicKey, KeyUsage.Authority(pathLength: 1), crlUri);
        var certificate = request.Create(
            request.SubjectName, new DeterministicSignatureGenerator(key), validity.NotBefore, validity.NotAfter, SerialOf(request.PublicKey));
        return new SimulatedCertificateAuthority(key, certificate);
    }

    /// <summary>Issues a certificate.</summary>
    /// <param name="key">The subject's key.</param>
    /// <param name="commonName">The subject's name.</param>
    /// <param name="validity">How long it is valid.</param>
    /// <param name="usage">What the subject's key is for.</param>
    /// <param name="crlUri">Where its revocation would be published.</param>
    /// <param name="more">Further extensions.</param>
    public SimulatedCertificateAuthority Issue(
        DeterministicEcdsa key, string commonName, Validity validity, KeyUsage usage, string crlUri, params ReadOnlySpan<X509Extension> more)
    {
        var request = Request(key, commonName);
        AddExtensions(request, Certificate.PublicKey, usage, crlUri);
        foreach (var extension in more)
            request.CertificateExtensions.Add(extension);
        var certificate = request.Create(
            Certificate.SubjectName, new DeterministicSignatureGenerator(Key), validity.NotBefore, validity.NotAfter, SerialOf(request.PublicKey));
        return new SimulatedCertificateAuthority(key, certificate);
    }

    /// <summary>A CRL, DER.</summary>
    public byte[] IssueCrl(DateTimeOffset thisUpdate, DateTimeOffset nextUpdate, params ReadOnlySpan<X509Certificate2> revoked)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var certificate in revoked)
            builder.AddEntry(certificate.SerialNumberBytes.Span, thisUpdate, X509RevocationReason.KeyCompromise);
        return builder.Build(
            Certificate.SubjectName, new DeterministicSignatureGenerator(Key), crlNumber: 1, nextUpdate, Key.Hash,
            X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(new X509SubjectKeyIdentifierExtension(Certificate.PublicKey, critical: false)),
            thisUpdate);
    }

    private static CertificateRequest Request(DeterministicEcdsa key, string commonName)
    {
        using var publicKey = key.CreatePublicKey();
        return new CertificateRequest(new X500DistinguishedName($"CN={commonName}{NameSuffix}"), new PublicKey(publicKey), key.Hash);
    }

    private static void AddExtensions(CertificateRequest request, PublicKey issuer, KeyUsage usage, string crlUri)
    {
        var subjectKey = new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false);
        var extensions = request.CertificateExtensions;
        extensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(new X509SubjectKeyIdentifierExtension(issuer, critical: false)));
        extensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([crlUri]));
        extensions.Add(subjectKey);
        extensions.Add(new X509KeyUsageExtension(usage.Flags, critical: true));
        extensions.Add(new X509BasicConstraintsExtension(usage.IsAuthority, usage.IsAuthority, usage.PathLength, critical: true));
    }

    // As Intel's: twenty bytes that follow from the key. The top bits make it a positive number of full length.
    private static byte[] SerialOf(PublicKey key)
    {
        var serial = SHA256.HashData(key.ExportSubjectPublicKeyInfo())[..20];
        serial[0] = (byte)(serial[0] & 0x7f | 0x40);
        return serial;
    }
}
