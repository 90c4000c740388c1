using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kist.Attestation.Nvidia;

namespace Kist.Attestation.Tests.Nvidia;

public class NvidiaVerifierTests
{
    private static readonly VerificationOptions s_options = new() { Time = new DateTimeOffset(2025, 6, 1, 0, 0, 0, TimeSpan.Zero) };

    [Theory]
    [InlineData("hopper-trustee/report.txt", "hopper-trustee/cert-chain.txt", null)]
    [InlineData("hopper-sdk/report.txt", "hopper-sdk/cert-chain.txt", null)]
    [InlineData("blackwell-sdk/report.txt", "blackwell-sdk/cert-chain.txt", null)]
    [InlineData("switch-sdk/report.txt", "switch-sdk/cert-chain.txt", null)]
    [InlineData("hopper-sdk/report-invalid-signature.txt", "hopper-sdk/cert-chain.txt", "nvidia.report.signature")]
    [InlineData("hopper-trustee/report.txt", "hopper-trustee/cert-chain-bad2.txt", "nvidia.report.signature")]
    [InlineData("hopper-trustee/report.txt", "hopper-trustee/cert-chain-bad4.txt", "nvidia.report.signature")]
    [InlineData("hopper-trustee/report.txt", "blackwell-sdk/cert-chain.txt", "nvidia.report.signature")]
    public void Verify_CapturedReport_IsJudged(string report, string chain, string? decisive)
    {
        var verdict = EvidenceVerifier.Verify(Sample(report, chain), ExpectedBinding.None, s_options);

        Assert.Equal(decisive, verdict.DecisiveFailure?.Id);
        Assert.Equal(decisive is null, verdict.IsAccepted);
        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    [Fact]
    public void Claims_OfHopper_AreThoseOfTrustee()
    {
        using var json = JsonDocument.Parse(CocoJson("HOPPER", "1111-2222-33333-444444-555555"));
        var nonce = Convert.FromHexString("931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb");
        var verdict = EvidenceVerifier.Verify("nvidia", json.RootElement, new ExpectedBinding(new byte[][] { nonce, new byte[16] }.SelectMany(b => b).ToArray(), null), s_options);
        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));

        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
            verdict.Claims!.WriteTo(writer);
        var actual = JsonNode.Parse(stream.ToArray())!.AsObject();
        actual.Remove("report_data");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Testing.Evidence.Read("nvidia/hopper-trustee/expected-claims.txt")), actual), actual.ToJsonString());
    }

    [Fact]
    public void Verify_OtherNonce_IsRefused()
    {
        var verdict = EvidenceVerifier.Verify(
            Sample("hopper-trustee/report.txt", "hopper-trustee/cert-chain.txt"), new ExpectedBinding(new byte[48], null), s_options);

        Assert.Equal("nvidia.binding.report_data", verdict.DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_ChangedCutOrNoisyReport_IsNeverAccepted()
    {
        var sample = Sample("switch-sdk/report.txt", "switch-sdk/cert-chain.txt");

        Robustness.NoChangeIsAccepted(sample, s_options, 0, sample.Bytes.Length);
        Robustness.NoPrefixIsAccepted(sample, s_options);
        Robustness.NoiseIsRefused("nvidia", sample.Bytes, s_options);
    }

    [Fact]
    public void Verify_DamagedJson_ThrowsOnlyMalformedData()
    {
        using var json = JsonDocument.Parse(CocoJson("HOPPER", ""));
        Robustness.NoDamagedJsonThrows("nvidia", json.RootElement, s_options);
    }

    [Fact]
    public void Verify_ManifestInCollateral_IsCompared()
    {
        var sample = Sample("hopper-trustee/report.txt", "hopper-trustee/cert-chain.txt");
        var report = NvidiaReportReader.Parse(sample.Bytes.Span);
        var store = new CollateralStore();
        var manifest = Testing.Evidence.Read("nvidia/rim/1010_0200_882_96005E0001_PROD.swidtag");
        store.Add(new CollateralKey(CollateralKey.NvidiaRim, RimCheck.Names(report).First()), manifest);

        var verdict = EvidenceVerifier.Verify(sample, ExpectedBinding.None, s_options with { Collateral = store });

        // The manifest is of another firmware version than the device's.
        Assert.Equal("nvidia.rim.measurements", verdict.DecisiveFailure?.Id);
        Assert.Equal("NV_GPU_VBIOS_1010_0200_882_96009F0001", RimCheck.Names(report).First());
        Assert.NotEmpty(NvidiaRim.Parse(manifest).Measurements);
    }

    private static byte[] CocoJson(string arch, string uuid) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["device_evidence_list"] = new JsonArray(new JsonObject
        {
            ["arch"] = arch,
            ["uuid"] = uuid,
            ["evidence"] = Convert.ToBase64String(Hex("hopper-trustee/report.txt")),
            ["certificate"] = Convert.ToBase64String(Testing.Evidence.Read("nvidia/hopper-trustee/cert-chain.txt")),
        }),
    }.ToJsonString());

    private static Evidence Sample(string report, string chain) => new()
    {
        Tee = "nvidia",
        Bytes = Hex(report),
        Certificates = Testing.Evidence.Read($"nvidia/{chain}"),
    };

    private static byte[] Hex(string file)
    {
        var text = Encoding.ASCII.GetString(Testing.Evidence.Read($"nvidia/{file}")).Trim();
        return text.StartsWith("11e0", StringComparison.OrdinalIgnoreCase) ? Convert.FromHexString(text) : Convert.FromBase64String(text);
    }
}
