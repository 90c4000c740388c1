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

        // The manifest is genuine, and of another firmware version than the device's.
        Assert.Equal("nvidia.rim.measurements", verdict.DecisiveFailure?.Id);
        Assert.Equal(FindingOutcome.Pass, verdict.Findings.Single(f => f.Id == "nvidia.rim.signature").Outcome);
        Assert.Equal(FindingOutcome.Pass, verdict.Findings.Single(f => f.Id == "nvidia.rim.chain.anchor").Outcome);
        Assert.Equal("NV_GPU_VBIOS_1010_0200_882_96009F0001", RimCheck.Names(report).First());
        Assert.NotEmpty(NvidiaRim.Parse(manifest).Measurements);
    }

    [Theory]
    [InlineData("1010_0200_882_96005E0001_PROD.swidtag", "96.00.5E.00.01")]
    [InlineData("1010_0200_882_96005E0001_test_no_gpu.swidtag", "96.00.5E.00.01")]
    [InlineData("Driver_RIM_test_no_gpu.swidtag", "545.00")]
    public void Rim_OfNvidia_IsSignedAndKnownByItsVersion(string file, string version)
    {
        var manifest = Testing.Evidence.Read($"nvidia/rim/{file}");

        Assert.True(RimSignature.Read(manifest)!.Holds);
        Assert.Equal(new CollateralKey(CollateralKey.NvidiaRim, $"version/{version}"), Assert.Single(VendorCollateral.Read(manifest)).Key);
    }

    [Fact]
    public void Rim_EveryCharacterChanged_IsNotSigned()
    {
        var text = Testing.Evidence.Read("nvidia/rim/Driver_RIM_test_no_gpu.swidtag").ToArray();
        var end = text.AsSpan().IndexOf("<ds:KeyInfo>"u8);
        for (var i = 0; i < end; i += 11)
        {
            var was = text[i];
            // White space inside a tag, letters of base64 that decode to the same bits: changes of nothing are not looked at.
            if (char.IsWhiteSpace((char)was) || was is (byte)'=' or (byte)'"' or (byte)'/')
                continue;
            text[i] = (byte)(was ^ 1);
            Assert.False(IsSigned(text), $"signed with byte {i} changed");
            text[i] = was;
        }

        Assert.True(IsSigned(text));
    }

    [Theory]
    [InlineData("URI=\"\"", "URI=\"#x\"")]
    [InlineData("#enveloped-signature", "#base64")]
    [InlineData("xmldsig-more#sha384", "xmlenc#sha256")]
    [InlineData("2006/12/xml-c14n11\"/></ds:Transforms", "2001/10/xml-exc-c14n#\"/></ds:Transforms")]
    [InlineData("<ds:SignedInfo>", "<ds:SignedInfo><ds:Reference URI=\"\"/>")]
    [InlineData("</ds:Signature>", "<ds:Object><Resource type=\"Measurement\"/></ds:Object></ds:Signature>")]
    [InlineData("</ds:X509Data>", "<ds:X509SubjectName/></ds:X509Data>")]
    [InlineData("</SoftwareIdentity>", "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/></SoftwareIdentity>")]
    public void Rim_SignatureOfAnotherForm_IsMalformed(string from, string to)
    {
        var text = Encoding.UTF8.GetString(Testing.Evidence.Read("nvidia/rim/Driver_RIM_test_no_gpu.swidtag"));
        Assert.Contains(from, text, StringComparison.Ordinal);

        Assert.Throws<Formats.MalformedDataException>(() => RimSignature.Read(Encoding.UTF8.GetBytes(text.Replace(from, to, StringComparison.Ordinal))));
    }

    private static bool IsSigned(byte[] text)
    {
        try
        {
            return RimSignature.Read(text) is { Holds: true };
        }
        catch (Formats.MalformedDataException)
        {
            return false;
        }
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
