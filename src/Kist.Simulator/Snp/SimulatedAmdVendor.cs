using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;
using Kist.Simulator.Crypto;
using Kist.Simulator.Vendor;

namespace Kist.Simulator;

/// <summary>
/// A simulated AMD: root (ARK), intermediate (ASK) and the chip's key (VCEK) in AMD's forms: RSA-4096 with PSS and SHA-384
/// above, P-384 below. The chip's key follows from the seed; the authorities' RSA keys do not, since the platform makes no
/// RSA key from a seed, so they are kept with <see cref="Export"/>.
/// </summary>
public sealed class SimulatedAmdVendor : IDisposable
{
    private const int RsaBits = 4096;
    private const string NameSuffix = ",O=Kist Simulation (protects nothing),OU=Engineering,C=XX,L=Nowhere,ST=NA";

    private readonly RSA _arkKey;
    private readonly RSA _askKey;

    private SimulatedAmdVendor(SeedDerivation seed, RSA arkKey, RSA askKey, X509Certificate2 ark, X509Certificate2 ask)
    {
        Seed = seed;
        _arkKey = arkKey;
        _askKey = askKey;
        Ark = ark;
        Ask = ask;
    }

    /// <summary>The root certificate.</summary>
    public X509Certificate2 Ark { get; }

    /// <summary>The intermediate certificate.</summary>
    public X509Certificate2 Ask { get; }

    /// <summary>The root as a trust anchor; it is marked as simulated.</summary>
    public TrustAnchor Anchor => SimulatedTrustAnchor.Of("amd", Ark);

    internal SeedDerivation Seed { get; }

    /// <summary>Makes a vendor with new authorities.</summary>
    /// <param name="seed">32 bytes.</param>
    public static SimulatedAmdVendor Create(ReadOnlySpan<byte> seed)
    {
        var (arkKey, askKey) = (RSA.Create(RsaBits), RSA.Create(RsaBits));
        var ark = Certify(arkKey, "Kist Simulated ARK-Genoa", arkKey, null);
        return new SimulatedAmdVendor(new SeedDerivation(seed), arkKey, askKey, ark, Certify(askKey, "Kist Simulated SEV-Genoa", arkKey, ark));
    }

    /// <summary>Makes the vendor again whose authorities were exported.</summary>
    /// <param name="seed">The same 32 bytes.</param>
    /// <param name="authorities">What <see cref="Export"/> gave.</param>
    /// <exception cref="Formats.MalformedDataException">They are not what Export gives.</exception>
    public static SimulatedAmdVendor Load(ReadOnlySpan<byte> seed, ReadOnlyMemory<byte> authorities)
    {
        try
        {
            var reader = new AsnReader(authorities, AsnEncodingRules.DER).ReadSequence();
            var (arkKey, askKey) = (ReadKey(reader), ReadKey(reader));
            var ark = X509CertificateLoader.LoadCertificate(reader.ReadOctetString());
            var ask = X509CertificateLoader.LoadCertificate(reader.ReadOctetString());
            reader.ThrowIfNotEmpty();
            return new SimulatedAmdVendor(new SeedDerivation(seed), arkKey, askKey, ark, ask);
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            throw new Formats.MalformedDataException("simulated AMD authorities", -1, "they are not what was exported", e);
        }
    }

    /// <summary>The authorities' keys and certificates, to be kept for <see cref="Load"/>. They sign simulated evidence only.</summary>
    public byte[] Export()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteOctetString(_arkKey.ExportRSAPrivateKey());
            writer.WriteOctetString(_askKey.ExportRSAPrivateKey());
            writer.WriteOctetString(Ark.RawData);
            writer.WriteOctetString(Ask.RawData);
        }

        return writer.Encode();
    }

    /// <summary>Certifies a chip's key for a TCB.</summary>
    internal X509Certificate2 CertifyChip(DeterministicEcdsa key, byte[] chipId, ReadOnlySpan<byte> tcb)
    {
        using var publicKey = key.CreatePublicKey();
        var request = new CertificateRequest(Name("Kist Simulated SEV-VCEK"), new PublicKey(publicKey), HashAlgorithmName.SHA384);
        var extensions = request.CertificateExtensions;
        extensions.Add(Extension("1", w => w.WriteInteger(0)));
        extensions.Add(Extension("2", w => w.WriteCharacterString(UniversalTagNumber.IA5String, "Genoa")));
        foreach (var (part, index) in new[] { (1, 0), (2, 1), (4, 2), (5, 3), (6, 4), (7, 5), (3, 6), (8, 7) })
        {
            var svn = tcb[index];
            extensions.Add(Extension($"3.{part}", w => w.WriteInteger(svn)));
        }

        // The identity stands in the extension as bare bytes, as AMD has it.
        extensions.Add(new X509Extension("1.3.6.1.4.1.3704.1.4", chipId, critical: false));
        return request.Create(
            Ask.SubjectName, X509SignatureGenerator.CreateForRSA(_askKey, RSASignaturePadding.Pss), Validity.OfLeaves.NotBefore, Validity.OfLeaves.NotAfter, [1]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _arkKey.Dispose();
        _askKey.Dispose();
    }

    private static X509Certificate2 Certify(RSA key, string commonName, RSA issuerKey, X509Certificate2? issuer)
    {
        var request = new CertificateRequest(Name(commonName), key, HashAlgorithmName.SHA384, RSASignaturePadding.Pss);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, issuer is not null, 0, critical: true));
        return request.Create(
            issuer?.SubjectName ?? request.SubjectName, X509SignatureGenerator.CreateForRSA(issuerKey, RSASignaturePadding.Pss),
            Validity.OfAuthorities.NotBefore, Validity.OfAuthorities.NotAfter, issuer is null ? [1] : [2]);
    }

    private static X509Extension Extension(string part, Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        write(writer);
        return new X509Extension($"1.3.6.1.4.1.3704.1.{part}", writer.Encode(), critical: false);
    }

    private static RSA ReadKey(AsnReader reader)
    {
        var key = RSA.Create();
        key.ImportRSAPrivateKey(reader.ReadOctetString(), out _);
        return key;
    }

    private static X500DistinguishedName Name(string commonName) => new($"CN={commonName}{NameSuffix}");
}
