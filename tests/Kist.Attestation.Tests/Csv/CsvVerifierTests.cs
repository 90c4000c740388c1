using System.Text.Json;
using System.Text.Json.Nodes;
using Kist.Attestation.Csv;

namespace Kist.Attestation.Tests.Csv;

/// <summary>
/// The captured evidence lacks HSK and CEK, which Hygon's server has: it can be verified up to the platform's key, and is
/// refused for the rest.
/// </summary>
public class CsvVerifierTests
{
    private static readonly VerificationOptions s_options = new() { Time = DateTimeOffset.UnixEpoch.AddYears(55) };

    [Fact]
    public void Verify_CapturedReport_VerifiesUpToThePlatformsKeyAndIsRefused()
    {
        var verdict = EvidenceVerifier.Verify("csv", Json(), ExpectedBinding.None, s_options);

        Assert.Equal("csv.chain.certificates", verdict.DecisiveFailure?.Id);
        Assert.Contains(verdict.Findings, f => f is { Id: "csv.report.signature", Outcome: FindingOutcome.Pass });
        Assert.Contains(verdict.Findings, f => f is { Id: "csv.report.signer", Outcome: FindingOutcome.NotChecked });
        Assert.Equal("KPA64911240507", Assert.IsType<CsvClaims>(verdict.Claims).Report.SerialNumber);
        Assert.Equal("csv", EvidenceDetector.Detect(Testing.Evidence.Read("hygon-csv/csv_evidence.json")).Evidence.Tee);
        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    [Fact]
    public void Parse_RootCertificate_SignsItself()
    {
        var root = CsvCertificate.ParseAuthority(Testing.Evidence.Read("trust-anchors/hygon-hrk.cert"));

        Assert.True(root.IsSignedBy(Attestation.Sev.SevKeyUsage.Ark, root.Key));
        Assert.NotNull(VendorAnchors.All.Find("hygon", System.Security.Cryptography.SHA256.HashData(root.Key!.SubjectPublicKeyInfo)));
    }

    [Fact]
    public void Platform_JsonOfThePek_IsTheCertificateInTheReport()
    {
        var pek = CsvJsonCertificate.Platform(Json().GetProperty("cert_chain").GetProperty("pek"));
        var report = CsvEvidence.Read(new Evidence { Tee = "csv", Json = Json() }, NoCollateral.Instance).Report;

        Assert.Equal(report.Pek.Signed.ToArray(), CsvCertificate.Parse(pek).Signed.ToArray());
    }

    [Fact]
    public void Verify_EveryChangedSignedByte_FailsTheSignature()
    {
        var json = JsonNode.Parse(Testing.Evidence.Read("hygon-csv/csv_evidence.json"))!;
        var page = json["attestation_report"]!["data"]!.AsArray().Select(n => (byte)n!).ToArray();
        for (var i = 0; i < 0xB4; i += 5)
        {
            page[i] ^= 1;
            Assert.False(Signed(page), $"verifies with byte {i} changed");
            page[i] ^= 1;
        }

        Assert.True(Signed(page));
    }

    [Fact]
    public void Verify_DamagedJson_ThrowsOnlyMalformedData()
    {
        var small = JsonNode.Parse(Testing.Evidence.Read("hygon-csv/csv_evidence.json"))!;
        small.AsObject().Remove("cc_eventlog");
        small["cert_chain"] = new JsonObject();
        using var document = JsonDocument.Parse(small.ToJsonString());
        Robustness.NoDamagedJsonThrows("csv", document.RootElement, s_options);
    }

    private static bool Signed(byte[] page)
    {
        var report = CsvReport.Parse(page, extended: false);
        return report.Pek.Key!.Verify(report.Signed.Span, report.Signature.Span);
    }

    private static JsonElement Json()
    {
        using var document = JsonDocument.Parse(Testing.Evidence.Read("hygon-csv/csv_evidence.json"));
        return document.RootElement.Clone();
    }
}
