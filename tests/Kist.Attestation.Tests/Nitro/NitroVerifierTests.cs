using System.Globalization;
using System.Text;
using Kist.Attestation.Cose;
using Kist.Attestation.Nitro;
using Kist.Formats;

namespace Kist.Attestation.Tests.Nitro;

public class NitroVerifierTests
{
    [Theory]
    [InlineData("nitro/base/attestation.bin", "2024-11-30T16:23:00Z", null)]
    [InlineData("nitro/evervault/valid-attestation-doc-bytes", "2022-10-13T09:00:00Z", null)]
    [InlineData("nitro/evervault/valid-attestation-doc-bytes", "2022-10-13T12:00:00Z", "nitro.chain.validity")]
    [InlineData("nitro/evervault/valid-attestation-doc-base64", "2023-09-18T15:10:00Z", "nitro.debug")]
    [InlineData("nitro/fortanix/request_proper.bin", "2021-09-09T10:20:00Z", "nitro.debug")]
    [InlineData("nitro/fortanix/tampered_signature.bin", "2021-09-09T10:20:00Z", "nitro.document.signature")]
    public void Verify_CapturedDocument_IsJudgedAtItsTime(string file, string time, string? decisive)
    {
        var verdict = EvidenceVerifier.Verify(Sample(file), ExpectedBinding.None, At(time));

        Assert.Equal(decisive, verdict.DecisiveFailure?.Id);
        Assert.Equal(decisive is null, verdict.IsAccepted);
        Assert.Equal(decisive == "nitro.debug", verdict.IsDebug && decisive == "nitro.debug");
        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    [Fact]
    public void Verify_DocumentInsideAnotherProjectsWrapper_IsAcceptedOnceTakenOut()
    {
        var wrapped = Testing.Evidence.Read("nitro/dstack/nitro_attestation.bin");
        var evidence = new Evidence { Tee = "nitro", Bytes = wrapped.AsMemory(4, wrapped.Length - 4 - 151) };

        Assert.True(EvidenceVerifier.Verify(evidence, ExpectedBinding.None, At("2025-12-25T13:16:00Z")).IsAccepted);
        Assert.Throws<MalformedDataException>(() => EvidenceVerifier.Verify(
            new Evidence { Tee = "nitro", Bytes = wrapped }, ExpectedBinding.None, At("2025-12-25T13:16:00Z")));
    }

    [Fact]
    public void Verify_RevocationLists_AreLookedAtAsFarAsTheyAreGiven()
    {
        var sample = Sample("nitro/base/attestation.bin");
        var options = At("2024-11-30T16:23:00Z");
        var root = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(
            Encoding.ASCII.GetString(Testing.Evidence.Read("trust-anchors/aws-nitro-enclaves-root-g1.pem")));
        using var stranger = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        var builder = new System.Security.Cryptography.X509Certificates.CertificateRevocationListBuilder();
        var forged = builder.Build(
            root.SubjectName, System.Security.Cryptography.X509Certificates.X509SignatureGenerator.CreateForECDsa(stranger), 1,
            options.Time.AddDays(30), System.Security.Cryptography.HashAlgorithmName.SHA384,
            System.Security.Cryptography.X509Certificates.X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(new byte[20]), options.Time.AddDays(-1));
        var store = new CollateralStore();
        store.Add(Assert.Single(VendorCollateral.Read(forged)).Key, forged);

        var without = EvidenceVerifier.Verify(sample, ExpectedBinding.None, options);
        var with = EvidenceVerifier.Verify(sample, ExpectedBinding.None, options with { Collateral = store });

        Assert.Equal(FindingOutcome.NotChecked, without.Findings.Single(f => f.Id == "nitro.chain.revocation").Outcome);
        // A list that AWS's root did not sign says nothing, and whoever gave it wanted it looked at.
        Assert.Equal("nitro.chain.revocation", with.DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_DamagedLeafCertificate_IsMalformed() => Assert.Throws<MalformedDataException>(() => EvidenceVerifier.Verify(
        Sample("nitro/fortanix/tampered_certificate.bin"), ExpectedBinding.None, At("2021-09-09T10:20:00Z")));

    [Fact]
    public void Verify_NonceOrUserData_BindsTheRequest()
    {
        var sample = Sample("nitro/evervault/valid-attestation-doc-bytes");
        var nonce = NitroDocumentReader.Parse(CoseSign1.Parse(sample.Bytes).Payload).Nonce!.Value;
        var options = At("2022-10-13T09:00:00Z");

        Assert.True(EvidenceVerifier.Verify(sample, new ExpectedBinding(nonce, null), options).IsAccepted);
        Assert.Equal("nitro.binding.report_data",
            EvidenceVerifier.Verify(sample, new ExpectedBinding(new byte[48], null), options).DecisiveFailure?.Id);
        Assert.Equal("nitro.binding.init_data",
            EvidenceVerifier.Verify(sample, new ExpectedBinding(nonce, new byte[32]), options).DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_EveryChangedByteOrCut_IsNeverAccepted()
    {
        var sample = Sample("nitro/base/attestation.bin");
        var options = At("2024-11-30T16:23:00Z");
        // The unprotected header (one byte, an empty map) is not signed, but no other map fits its byte.
        Robustness.NoChangeIsAccepted(sample, options, 0, sample.Bytes.Length, step: 3);
        Robustness.NoPrefixIsAccepted(sample, options, step: 7);
        Robustness.NoiseIsRefused("nitro", sample.Bytes, options);
    }

    [Fact]
    public void Detect_BinaryAndBase64_AreRecognised()
    {
        Assert.Equal("nitro", EvidenceDetector.Detect(Testing.Evidence.Read("nitro/base/attestation.bin")).Evidence.Tee);
        Assert.Equal("nitro", EvidenceDetector.Detect(Testing.Evidence.Read("nitro/evervault/valid-attestation-doc-base64")).Evidence.Tee);
    }

    private static VerificationOptions At(string time) => new() { Time = DateTimeOffset.Parse(time, CultureInfo.InvariantCulture) };

    private static Evidence Sample(string file)
    {
        var bytes = Testing.Evidence.Read(file);
        return new Evidence
        {
            Tee = "nitro",
            Bytes = file.EndsWith("base64", StringComparison.Ordinal) ? Convert.FromBase64String(Encoding.ASCII.GetString(bytes).Trim()) : bytes,
        };
    }
}
