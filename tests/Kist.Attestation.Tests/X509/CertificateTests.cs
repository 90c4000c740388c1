using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CsCheck;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Tests.X509;

/// <summary>Our reading of certificates and CRLs, compared with the platform's.</summary>
public sealed class CertificateTests
{
    public static TheoryData<string> Chains => new(
        "trust-anchors/intel-sgx-root-ca.pem", "trust-anchors/intel-sgx-root-ca-2033.der", "trust-anchors/amd-kds-milan-vcek-cert_chain.pem",
        "trust-anchors/amd-kds-genoa-vlek-cert_chain.pem", "trust-anchors/amd-kds-turin-vcek-cert_chain.pem", "trust-anchors/aws-nitro-enclaves-root-g1.pem",
        "trust-anchors/nvidia-device-identity-root.pem", "trust-anchors/nvidia-corim-rim-root.pem", "sgx/icelake-oasis-prod/tcb-signing-chain.pem",
        "sgx/coffee-mobilecoin-prod/pck-leaf.pem", "sgx/intel-qvl-sample/pckSignChain.pem", "sgx/pck-selection/pck0.pem", "x509-crl/pkits/GoodCACert.crt");

    [Theory]
    [MemberData(nameof(Chains))]
    public void Parse_RealCertificate_HasTheFieldsThatThePlatformReads(string file)
    {
        foreach (var ours in PemReader.ReadCertificates(Testing.Evidence.Read(file)))
        {
            using var theirs = X509CertificateLoader.LoadCertificate(ours.Raw.Span);
            Assert.Equal(theirs.SubjectName.RawData, ours.Subject.ToArray());
            Assert.Equal(theirs.IssuerName.RawData, ours.Issuer.ToArray());
            Assert.Equal(theirs.SerialNumberBytes.ToArray().SkipWhile(b => b == 0).ToArray(), ours.SerialNumber.ToArray());
            Assert.Equal(theirs.NotBefore.ToUniversalTime(), ours.NotBefore.UtcDateTime);
            Assert.Equal(theirs.NotAfter.ToUniversalTime(), ours.NotAfter.UtcDateTime);
            Assert.Equal(theirs.PublicKey.ExportSubjectPublicKeyInfo(), ours.SubjectPublicKeyInfo.ToArray());
            Assert.Equal(theirs.Version, ours.Version);
            Assert.Equal(
                theirs.Extensions.Select(e => (e.Oid!.Value, e.Critical, Convert.ToHexString(e.RawData))),
                ours.Extensions.Select(e => ((string?)ObjectId.Format(e.Id.Span), e.IsCritical, Convert.ToHexString(e.Value.Span))));
            if (theirs.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault() is { } constraints)
            {
                Assert.Equal(constraints.CertificateAuthority, ours.IsCa);
                Assert.Equal(constraints.HasPathLengthConstraint ? constraints.PathLengthConstraint : null, ours.PathLength);
            }

            if (theirs.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is { } usage)
            {
                Assert.Equal(usage.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign), (ours.KeyUsage & KeyUsages.KeyCertSign) != 0);
                Assert.Equal(usage.KeyUsages.HasFlag(X509KeyUsageFlags.CrlSign), (ours.KeyUsage & KeyUsages.CrlSign) != 0);
                Assert.Equal(usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature), (ours.KeyUsage & KeyUsages.DigitalSignature) != 0);
            }
        }
    }

    public static TheoryData<string, string, string> VendorChains => new()
    {
        { "sgx/icelake-oasis-prod/tcb-signing-chain.pem", "intel", "2023-01-01Z" },
        { "trust-anchors/amd-kds-milan-vcek-cert_chain.pem", "amd", "2023-01-01Z" },
        { "trust-anchors/amd-kds-turin-vlek-cert_chain.pem", "amd", "2024-01-01Z" },
    };

    /// <summary>Whatever we accept, the platform's chain builder accepts as well: for the chain itself, and with any byte of its leaf changed.</summary>
    [Theory]
    [MemberData(nameof(VendorChains))]
    public void Verify_EveryByteChanged_NeverAcceptsWhatThePlatformRefuses(string file, string vendor, string time)
    {
        var at = DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture);
        var certificates = PemReader.ReadCertificates(Testing.Evidence.Read(file));
        var root = certificates[^1];
        var options = new VerificationOptions
        {
            Time = at,
            Anchors = new TrustAnchorSet([new TrustAnchor(vendor, "root", [.. SHA256.HashData(root.SubjectPublicKeyInfo.Span)], false, "test")]),
        };
        Assert.True(WeAccept(certificates));
        Assert.True(PlatformAccepts(certificates, at));
        var leaf = certificates[0].Raw.ToArray();
        for (var i = 0; i < leaf.Length; i++)
        {
            leaf[i] ^= 0x01;
            Certificate? changed = null;
            try
            {
                changed = Certificate.Parse(leaf.ToArray());
            }
            catch (MalformedDataException)
            {
                // As good as a refusal.
            }

            if (changed is not null)
            {
                List<Certificate> chain = [changed, .. certificates.Skip(1)];
                Assert.False(WeAccept(chain) && !PlatformAccepts(chain, at), $"byte {i}");
                Assert.False(WeAccept(chain), $"byte {i} of a signed certificate changed");
            }

            leaf[i] ^= 0x01;
        }

        bool WeAccept(List<Certificate> chain)
        {
            var verdict = new VerdictBuilder("test", at);
            return ChainVerifier.Verify(verdict, "test", CertificatePath.Build(chain), vendor, options) is not null;
        }
    }

    [Fact]
    public void Parse_RandomChangesAndCuts_ThrowNothingElse()
    {
        var der = PemReader.ReadCertificates(Testing.Evidence.Read("sgx/coffee-mobilecoin-prod/pck-leaf.pem"))[0].Raw.ToArray();
        var crl = Testing.Evidence.Read("tdx/spr-e4-google/pck-platform-2023.crl");
        for (var i = 0; i < der.Length; i++)
            Assert.Throws<MalformedDataException>(() => Certificate.Parse(der.AsMemory(0, i)));
        for (var i = 0; i < crl.Length; i++)
            Assert.Throws<MalformedDataException>(() => CertificateRevocationList.Parse(crl.AsMemory(0, i)));
        Gen.Select(Gen.Int[0, der.Length - 1], Gen.Byte, Gen.Int[0, crl.Length - 1]).Sample(
            (at, value, crlAt) =>
            {
                var changed = der.ToArray();
                changed[at] = value;
                var changedCrl = crl.ToArray();
                changedCrl[crlAt] = value;
                OnlyMalformed(() => Kist.Attestation.Dcap.PckCertificate.Parse(Certificate.Parse(changed)));
                OnlyMalformed(() => CertificateRevocationList.Parse(changedCrl));
                OnlyMalformed(() => _ = DistinguishedName.Format(changed.AsSpan(at)));
            },
            iter: 3000);
    }

    [Theory]
    [InlineData("tdx/spr-e4-google/pck-platform-2023.crl", 44)]
    [InlineData("sgx/pcs-api/root-ca-2026.crl", 0)]
    [InlineData("sgx/intel-qvl-sample/intermediateCaCrl.der", 1)]
    [InlineData("x509-crl/pkits/RevokedsubCACRL.crl", 0)]
    [InlineData("x509-crl/pkits/GoodCACRL.crl", 2)]
    public void Parse_RealCrl_HasItsEntries(string file, int count) =>
        Assert.Equal(count, CertificateRevocationList.Parse(Testing.Evidence.Read(file)).Count);

    [Fact]
    public void Verify_RevokedAuthorityOfPkits_IsRefused()
    {
        Certificate Read(string name) => PemReader.ReadCertificates(Testing.Evidence.Read($"x509-crl/pkits/{name}"))[0];
        CertificateRevocationList Crl(string name) => CertificateRevocationList.Parse(Testing.Evidence.Read($"x509-crl/pkits/{name}"));
        var at = new DateTimeOffset(2015, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var root = Read("TrustAnchorRootCertificate.crt");
        var good = CertificatePath.Build([Read("GoodCACert.crt"), root]);
        var verdict = new VerdictBuilder("test", at);
        Assert.True(RevocationVerifier.Verify(verdict, "test.revocation", good, [Crl("TrustAnchorRootCRL.crl")], at));
        var revoked = CertificatePath.Build([Read("InvalidRevokedCATest2EE.crt"), Read("RevokedsubCACert.crt"), Read("GoodCACert.crt"), root]);
        Assert.Equal(4, revoked.Certificates.Count);
        Assert.False(RevocationVerifier.Verify(
            verdict, "test.revocation", revoked, [Crl("TrustAnchorRootCRL.crl"), Crl("GoodCACRL.crl"), Crl("RevokedsubCACRL.crl")], at));
        Assert.Contains("revoked by its issuer", verdict.Build().Findings[^1].Why, StringComparison.Ordinal);
        Assert.False(RevocationVerifier.Verify(verdict, "test.revocation", good, [], at));
        Assert.False(RevocationVerifier.Verify(verdict, "test.revocation", good, [Crl("TrustAnchorRootCRL.crl")], at.AddYears(50)));
        Assert.Contains("expired", verdict.Build().Findings[^1].Why, StringComparison.Ordinal);
        Assert.False(RevocationVerifier.Verify(verdict, "test.revocation", good, [Crl("GoodCACRL.crl")], at));
    }

    [Fact]
    public void Verify_AuthoritiesWithoutTheRight_AreRefused()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var at = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var root = Root(true, 0, null);
        Assert.Null(Failure(Issue("CN=leaf", root, rootKey, null, null), root));
        var sub = Issue("CN=sub", root, rootKey, new X509BasicConstraintsExtension(true, false, 0, true), null);
        Assert.Equal("test.constraints", Failure(Issue("CN=leaf", sub, key, null, null), sub, root));
        var noAuthority = Root(false, null, null);
        Assert.Equal("test.constraints", Failure(Issue("CN=leaf", noAuthority, rootKey, null, null), noAuthority));
        var noSigning = Root(true, null, new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        Assert.Equal("test.constraints", Failure(Issue("CN=leaf", noSigning, rootKey, null, null), noSigning));
        var unknown = new X509Extension("1.2.3.4", [0x05, 0x00], critical: true);
        Assert.Equal("test.constraints", Failure(Issue("CN=leaf", root, rootKey, unknown, null), root));

        X509Certificate2 Root(bool isAuthority, int? pathLength, X509Extension? usage) => Create(
            "CN=root", null, rootKey, rootKey, new X509BasicConstraintsExtension(isAuthority, pathLength is not null, pathLength ?? 0, true), usage);

        X509Certificate2 Issue(string name, X509Certificate2 issuer, ECDsa signer, X509Extension? first, X509Extension? second) =>
            Create(name, issuer, key, signer, first, second);

        string? Failure(params X509Certificate2[] chain)
        {
            var ours = chain.Select(c => Certificate.Parse(c.RawData)).ToList();
            var options = new VerificationOptions
            {
                Time = at,
                Anchors = new TrustAnchorSet([new TrustAnchor("test", "root", [.. SHA256.HashData(ours[^1].SubjectPublicKeyInfo.Span)], false, "test")]),
            };
            var verdict = new VerdictBuilder("test", at);
            ChainVerifier.Verify(verdict, "test", new CertificatePath(ours, false), "test", options);
            return verdict.Build().DecisiveFailure?.Id;
        }

        X509Certificate2 Create(string name, X509Certificate2? issuer, ECDsa subject, ECDsa signer, X509Extension? first, X509Extension? second)
        {
            var request = new CertificateRequest(name, subject, HashAlgorithmName.SHA256);
            foreach (var extension in new[] { first, second }.OfType<X509Extension>())
                request.CertificateExtensions.Add(extension);
            return request.Create(
                issuer?.SubjectName ?? request.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), at.AddYears(-1), at.AddYears(1), [1, 2, 3]);
        }
    }

    private static bool PlatformAccepts(List<Certificate> certificates, DateTimeOffset at)
    {
        try
        {
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.VerificationTime = at.UtcDateTime;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(certificates[^1].Raw.Span));
            foreach (var certificate in certificates.Skip(1))
                chain.ChainPolicy.ExtraStore.Add(X509CertificateLoader.LoadCertificate(certificate.Raw.Span));
            using var leaf = X509CertificateLoader.LoadCertificate(certificates[0].Raw.Span);
            return chain.Build(leaf);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static void OnlyMalformed(Action action)
    {
        try
        {
            action();
        }
        catch (MalformedDataException)
        {
            // The one exception that may come out.
        }
    }
}
