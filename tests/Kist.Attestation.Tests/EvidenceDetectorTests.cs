using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Kist.Attestation.AzureVtpm;
using Kist.Attestation.Snp;
using Kist.Attestation.Tpm;
using Kist.Formats;

namespace Kist.Attestation.Tests;

/// <summary>What a person may hand over: evidence in every wrapping, and files that are something else.</summary>
public sealed class EvidenceDetectorTests
{
    [Theory]
    [InlineData("tdx/dstack-lite/attestation.json", "tdx", "dstack JSON > dstack attestation > bytes")]
    [InlineData("nitro/dstack/nitro_attestation.bin", "nitro", "dstack attestation > bytes")]
    [InlineData("nitro/evervault/ra-tls-debug-cert.pem", "nitro", "PEM > certificate (Evervault) > bytes")]
    [InlineData("sgx/oe-plugin/evidence", "sgx", "bytes")]
    [InlineData("azure-vtpm/az-snp-vtpm/hcl-report.bin", "az-snp-vtpm", "bytes")]
    [InlineData("azure-vtpm/az-tdx-vtpm/hcl-report.bin", "az-tdx-vtpm", "bytes")]
    [InlineData("azure-vtpm/az-snp-vtpm/tpm-quote-v1.json", "tpm", "JSON")]
    [InlineData("azure-vtpm/az-snp-vtpm/quote.bin", "tpm", "bytes")]
    [InlineData("sgx/icelake-automata-prod/quote.hex", "sgx", "hex > bytes")]
    [InlineData("nitro/evervault/valid-attestation-doc-base64", "nitro", "base64 > bytes")]
    public void Detect_EvidenceInItsWrapping_IsFound(string file, string tee, string layers)
    {
        var detected = EvidenceDetector.Detect(Testing.Evidence.Read(file));

        Assert.Equal(tee, detected.Evidence.Tee);
        Assert.Equal(layers, string.Join(" > ", detected.Layers));
        Assert.NotEmpty(EvidenceInspector.Inspect(detected.Evidence));
    }

    [Theory]
    [InlineData("sgx/coffee-gramine-prod/collateral.json", "--collateral")]
    [InlineData("sgx/icelake-occlum-debug/tcbinfo-00606a-eval17.json", "TCB info")]
    [InlineData("sgx/icelake-occlum-debug/qe-identity-eval17.json", "enclave identity")]
    [InlineData("sgx/icelake-occlum-debug/pck-platform.crl", "revocation list")]
    [InlineData("sgx/icelake-automata-prod/tcb-evaluation-data-numbers.json", "evaluation data numbers")]
    [InlineData("sgx/oe-plugin/endorsements", "Open Enclave's endorsements")]
    [InlineData("snp/milan-v2-trustee/vcek.der", "certificate")]
    [InlineData("snp/aci-security-context/host-amd-cert-base64", "THIM")]
    [InlineData("snp/aci-security-context/reference-info-base64", "utility VM")]
    [InlineData("tdx/dstack-ccel/ccel.bin", "event log")]
    [InlineData("tpm/eventlogs/debian-10.bin", "event log")]
    [InlineData("tdx/tdreport/tdreport.bin", "TDREPORT")]
    [InlineData("azure-vtpm/az-snp-vtpm/mismatch-tpm-quote.msg", "TPM's statement")]
    [InlineData("psa/tf-m/psa-2_0_0_mac0.bin", "COSE_Mac0")]
    [InlineData("psa/tf-m/public.pem", "public key")]
    [InlineData("corim/corim-psa-valid.cbor", "CoRIM")]
    [InlineData("corim/signed-good-corim.cbor", "signed CoRIM")]
    [InlineData("corim/tdx-comid_qe_refval.cbor", "CoMID")]
    [InlineData("nvidia/rim/1010_0200_882_96005E0001_PROD.swidtag", "SWID")]
    [InlineData("nvidia/eat/switch_detached_eat.json", "detached EAT")]
    [InlineData("sev-legacy/naples-pek.cert", "chain")]
    [InlineData("sev-legacy/milan-ask.cert", "SEV certificate")]
    public void Detect_FileThatIsSomethingElse_SaysWhat(string file, string word)
    {
        var error = Assert.Throws<MalformedDataException>(() => EvidenceDetector.Detect(Testing.Evidence.Read(file)));

        Assert.Contains(word, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sgx/coffee-gramine-prod/collateral.json", "statement")]
    [InlineData("sgx/pcs-api/sgx_qve_identity.json", "statement")]
    [InlineData("tdx/emr-v5-google/tcbinfo-90c06f-eval18.json", "statement")]
    [InlineData("corim/corim-sevsnp-valid.cbor", "CoRIM")]
    [InlineData("tpm/eventlogs/debian-10.bin", "event log")]
    [InlineData("tpm/go-attestation/option_rom_eventlog", "event log")]
    [InlineData("sgx/oe-plugin/endorsements", "Open Enclave endorsements")]
    public void Inspect_FileThatIsSomethingElse_ListsItsFields(string file, string kind)
    {
        var inspection = EvidenceInspector.Inspect(Testing.Evidence.Read(file));

        Assert.Equal(kind, inspection.Kind);
        Assert.NotEmpty(inspection.Fields);
    }

    [Theory]
    [InlineData("2.23.133.5.4.9", true)]
    [InlineData("1.2.840.113741.1337.6", false)]
    [InlineData("1.3.6.1.4.1.62397.1.1", false)]
    public void Detect_QuoteInACertificate_KeepsTheCertificatesKey(string oid, bool isTagged)
    {
        var quote = Testing.Evidence.Read("tdx/gnr-trustee/quote.dat").ToArray();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=enclave", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension(new Oid(oid), isTagged ? Tagged(quote) : quote, critical: false));
        using var certificate = request.CreateSelfSigned(new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

        var detected = EvidenceDetector.Detect(Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()));

        Assert.Equal("tdx", detected.Evidence.Tee);
        Assert.Equal(quote, detected.Evidence.Bytes.ToArray());
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), detected.CertificateKey.ToArray());
    }

    [Fact]
    public void Verify_ParavisorsReportAlone_IsRefusedForWantOfTheQuote()
    {
        var evidence = EvidenceDetector.Detect(Testing.Evidence.Read("azure-vtpm/az-snp-vtpm/hcl-report.bin")).Evidence with
        {
            Certificates = Testing.Evidence.Read("azure-vtpm/az-snp-vtpm/vcek.pem"),
        };

        var verdict = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, new VerificationOptions { Time = new(2025, 6, 1, 0, 0, 0, TimeSpan.Zero) });

        Assert.False(verdict.IsAccepted);
        Assert.Equal(["az-snp-vtpm.tpm.quote"], verdict.Findings.Where(f => f.Outcome == FindingOutcome.Fail).Select(f => f.Id));
    }

    [Theory]
    [InlineData("tpm-quote-v1.json")]
    [InlineData("quote.bin")]
    public void Verify_QuoteWithItsKeyBeside_ChecksTheSignature(string file)
    {
        var hcl = HclReport.Parse(Testing.Evidence.Read("azure-vtpm/az-snp-vtpm/hcl-report.bin"));
        var key = HclRuntimeData.Parse(hcl.RuntimeData.Span).AttestationKey;
        var evidence = EvidenceDetector.Detect(Testing.Evidence.Read($"azure-vtpm/az-snp-vtpm/{file}")).Evidence with
        {
            Certificates = Encoding.ASCII.GetBytes(PemEncoding.WriteString("PUBLIC KEY", key)),
        };
        var options = new VerificationOptions { Time = DateTimeOffset.UnixEpoch, Tpm = new TpmPolicy { AllowUnanchoredKey = true } };

        var verdict = EvidenceVerifier.Verify(evidence, new ExpectedBinding("challenge"u8.ToArray(), null), options);
        var withoutKey = EvidenceVerifier.Verify(evidence with { Certificates = default }, ExpectedBinding.None, options);

        Assert.Equal(FindingOutcome.Pass, verdict.Findings.Single(f => f.Id == "tpm.quote.pcrs").Outcome);
        Assert.Equal(FindingOutcome.Pass, verdict.Findings.Single(f => f.Id == "tpm.quote.signature").Outcome);
        Assert.True(verdict.IsAccepted);
        Assert.False(withoutKey.IsAccepted);
    }

    [Fact]
    public void Read_AzuresAnswerOnTheHost_IsTheVcekOfTheReport()
    {
        var entry = Assert.Single(SnpCollateral.Read(Testing.Evidence.Read("snp/aci-security-context/host-amd-cert-base64")));

        Assert.Equal(CollateralKey.AmdVcek, entry.Key.Kind);
        Assert.StartsWith("-----BEGIN CERTIFICATE-----", Encoding.ASCII.GetString(entry.Value.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void Detect_EveryPrefixOfContainers_ThrowsNothingButMalformedData()
    {
        foreach (var file in new[] { "nitro/dstack/nitro_attestation.bin", "azure-vtpm/az-snp-vtpm/quote.bin", "azure-vtpm/az-snp-vtpm/hcl-report.bin", "sgx/oe-plugin/endorsements" })
        {
            Robustness.NoPrefixIsRead(Testing.Evidence.Read(file), bytes => EvidenceInspector.Inspect(bytes), step: 7);
        }
    }

    private static byte[] Tagged(byte[] quote)
    {
        var writer = new System.Formats.Cbor.CborWriter();
        writer.WriteTag((System.Formats.Cbor.CborTag)60000);
        writer.WriteStartArray(2);
        writer.WriteByteString(quote);
        writer.WriteByteString([0xA0]);
        writer.WriteEndArray();
        return writer.Encode();
    }
}
