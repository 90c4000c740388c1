using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kist.Attestation.AzureVtpm;
using Kist.Attestation.Snp;
using Kist.Formats;

namespace Kist.Attestation.Tests.AzureVtpm;

public class AzureVerifierTests
{
    private static readonly VerificationOptions s_snp = new() { Time = DateTimeOffset.Parse("2025-06-01T00:00:00Z", CultureInfo.InvariantCulture) };
    private static readonly ExpectedBinding s_challenge = new("challenge"u8.ToArray(), null);

    [Theory]
    [InlineData("azure-vtpm/az-snp-vtpm/evidence-v0.json")]
    [InlineData("azure-vtpm/az-snp-vtpm/evidence-v1.json")]
    public void Verify_SnpEvidence_IsAccepted(string file)
    {
        var verdict = EvidenceVerifier.Verify("az-snp-vtpm", Json(file), s_challenge, s_snp);

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
        Assert.Equal("az-snp-vtpm", EvidenceDetector.Detect(Testing.Evidence.Read(file)).Evidence.Tee);
        var claims = Assert.IsType<AzureClaims>(verdict.Claims);
        Assert.Equal(24, claims.Pcrs.Count);
        Assert.IsType<SnpClaims>(claims.Hardware);
        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    [Fact]
    public void Verify_OtherChallenge_IsRefused() => Assert.Equal("az-snp-vtpm.binding.report_data", EvidenceVerifier.Verify(
        "az-snp-vtpm", Json("azure-vtpm/az-snp-vtpm/evidence-v1.json"), new ExpectedBinding("other"u8.ToArray(), null), s_snp).DecisiveFailure?.Id);

    [Fact]
    public void Verify_QuoteOfAnotherMachine_IsRefused()
    {
        var json = JsonNode.Parse(Testing.Evidence.Read("azure-vtpm/az-snp-vtpm/evidence-v1.json"))!;
        json["tpm_quote"]!["message"] = Convert.ToHexStringLower(Testing.Evidence.Read("azure-vtpm/az-snp-vtpm/mismatch-tpm-quote.msg"));
        json["tpm_quote"]!["signature"] = Convert.ToHexStringLower(Testing.Evidence.Read("azure-vtpm/az-snp-vtpm/mismatch-tpm-quote.sig"));
        using var document = JsonDocument.Parse(json.ToJsonString());

        var verdict = EvidenceVerifier.Verify("az-snp-vtpm", document.RootElement, ExpectedBinding.None, s_snp);

        Assert.Equal("tpm.quote.signature", verdict.DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_ChangedParavisorReport_IsNeverAccepted()
    {
        var hcl = Hcl();
        for (var i = 0; i < 1236 + 1110; i += 3)
        {
            // Sizes, request type and status are the paravisor's own notes: nothing rests on them.
            if (i is >= 8 and < 32 or >= 1216 and < 1220)
                continue;
            hcl[i] ^= 1;
            var changed = new Evidence { Tee = "az-snp-vtpm", Json = With("hcl_report", Base64Url.Encode(hcl)) };
            Assert.False(Robustness.IsAccepted(changed, s_snp), $"accepted with byte {i} of the report changed");
            hcl[i] ^= 1;
        }
    }

    [Fact]
    public void Verify_Version2_RequiresTheValueInTheParavisorsReportToo()
    {
        // The captured user-data is zero, so that a value bound by the quote alone is not enough.
        Assert.Equal("az-snp-vtpm.hcl.user_data",
            EvidenceVerifier.Verify("az-snp-vtpm", With("version", 2), s_challenge, s_snp).DecisiveFailure?.Id);
        Assert.Throws<MalformedDataException>(() => EvidenceVerifier.Verify("az-snp-vtpm", With("version", 3), s_challenge, s_snp));
    }

    [Fact]
    public void Verify_DamagedJson_ThrowsOnlyMalformedData()
    {
        Robustness.NoDamagedJsonThrows("az-snp-vtpm", Json("azure-vtpm/az-snp-vtpm/evidence-v1.json"), s_snp);
        Robustness.NoDamagedJsonThrows("az-tdx-vtpm", Json("azure-vtpm/az-tdx-vtpm/evidence-v1.json"), s_snp);
    }

    [Theory]
    [InlineData("azure-vtpm/az-tdx-vtpm/evidence-v0.json")]
    [InlineData("azure-vtpm/az-tdx-vtpm/evidence-v1.json")]
    public void Verify_TdxEvidenceWithoutCollateral_HoldsInEveryLinkButIntels(string file)
    {
        var verdict = EvidenceVerifier.Verify("az-tdx-vtpm", Json(file), s_challenge, s_snp);

        Assert.Contains("collateral", verdict.DecisiveFailure?.Id, StringComparison.Ordinal);
        foreach (var id in new[] { "az-tdx-vtpm.hcl.type", "az-tdx-vtpm.hcl.runtime_data", "tpm.quote.signature", "tpm.quote.pcrs", "az-tdx-vtpm.binding.report_data", "az-tdx-vtpm.quote.signature" })
            Assert.Contains(verdict.Findings, f => f.Id == id && f.Outcome == FindingOutcome.Pass);
        Assert.Equal("az-tdx-vtpm", EvidenceDetector.Detect(Testing.Evidence.Read(file)).Evidence.Tee);
    }

    [Fact]
    public void Verify_SnpEvidenceAsTdx_IsRefused() => Assert.Throws<MalformedDataException>(() =>
        EvidenceVerifier.Verify("az-tdx-vtpm", Json("azure-vtpm/az-snp-vtpm/evidence-v1.json"), s_challenge, s_snp));

    private static byte[] Hcl()
    {
        var text = Json("azure-vtpm/az-snp-vtpm/evidence-v1.json").GetProperty("hcl_report").GetString()!;
        return Base64Url.Decode(text.TrimEnd('='), 4096, "test");
    }

    private static JsonElement With(string name, JsonNode value)
    {
        var json = JsonNode.Parse(Testing.Evidence.Read("azure-vtpm/az-snp-vtpm/evidence-v1.json"))!;
        json[name] = value;
        using var document = JsonDocument.Parse(json.ToJsonString());
        return document.RootElement.Clone();
    }

    private static JsonElement Json(string file)
    {
        using var document = JsonDocument.Parse(Testing.Evidence.Read(file));
        return document.RootElement.Clone();
    }
}
