using System.Text;
using CsCheck;
using Kist.Attestation.Tests.Dcap;
using Kist.Formats;

namespace Kist.Attestation.Tests.Bundles;

public sealed class EvidenceBundleTests
{
    private const string Phala = "tdx/b0c06f-phala/collateral.json";

    private static EvidenceBundle Make(out Verdict verdict)
    {
        var (bundle, v) = EvidenceBundle.Create(
            IntelCorpus.Load("tdx/gce-cos113/quote.dat", "tdx/gce-cos113/ccel.bin"),
            new ExpectedBinding(Testing.Evidence.Read("tdx/gce-cos113/nonce.bin"), null),
            IntelCorpus.Options("2025-06-25Z", "tdx/gce-cos113/tcbinfo-00806f05-eval17.json", "tdx/gce-cos113/td-qe-identity-eval17.json", Phala) with
            {
                References = [new ReferenceValue("quote.body.xfam", ["e700060000000000"])],
            });
        verdict = v;
        return bundle;
    }

    [Fact]
    public void Parse_WrittenBundle_IsJudgedAlikeWithoutAnythingElse()
    {
        var bundle = Make(out var verdict);
        Assert.True(verdict.IsAccepted);
        var file = EvidenceBundleJson.Write(bundle);
        Assert.True(EvidenceBundleJson.IsBundle(file));
        var read = EvidenceBundleJson.Parse(file);
        Assert.Equal(VerdictTree.ToText(verdict), VerdictTree.ToText(read.Verify(VendorAnchors.All)));
        Assert.Equal(Encoding.UTF8.GetString(file), Encoding.UTF8.GetString(EvidenceBundleJson.Write(read)));
    }

    [Fact]
    public void Create_ManyKindsOfCollateral_KeepsOnlyWhatWasUsed()
    {
        var file = Encoding.UTF8.GetString(EvidenceBundleJson.Write(Make(out _)));
        Assert.Contains("00806f050000", file, StringComparison.Ordinal);
        Assert.DoesNotContain("b0c06f000000", file, StringComparison.Ordinal);
    }

    /// <summary>The bundle's own roots count for nothing.</summary>
    [Fact]
    public void Verify_RootsOfTheBundle_AreNotTrusted() =>
        Assert.Equal("tdx.pck.anchor", Make(out _).Verify(TrustAnchorSet.Empty).DecisiveFailure?.Id);

    [Fact]
    public void Verify_DebugEvidence_MustBeAllowedByBoth()
    {
        var options = IntelCorpus.Options(
            "2023-07-01Z", "tdx/spr-e4-google/tcbinfo-50806f-eval15.json", "tdx/spr-e4-google/td-qe-identity-eval15.json",
            "tdx/spr-e4-google/pck-platform-2023.crl", "sgx/coffee-mobilecoin-prod/root-ca.crl", "sgx/icelake-oasis-prod/tcb-signing-chain.pem");
        var (bundle, verdict) = EvidenceBundle.Create(
            IntelCorpus.Load("tdx/spr-debug-trustee/quote.dat"), ExpectedBinding.None, options with { AllowDebug = true });
        Assert.True(verdict.IsAccepted);
        Assert.True(bundle.Verify(VendorAnchors.All, allowDebug: true).IsAccepted);
        Assert.Equal("tdx.debug", bundle.Verify(VendorAnchors.All).DecisiveFailure?.Id);
        var unallowed = bundle with { Options = bundle.Options with { AllowDebug = false } };
        Assert.Equal("tdx.debug", unallowed.Verify(VendorAnchors.All, allowDebug: true).DecisiveFailure?.Id);
    }

    [Fact]
    public void Parse_ChangedOrCut_ThrowsNothingElse()
    {
        var file = EvidenceBundleJson.Write(Make(out _));
        Gen.Select(Gen.Int[0, file.Length - 1], Gen.Byte).Sample(
            (at, value) =>
            {
                var changed = file.ToArray();
                changed[at] = value;
                OnlyMalformed(changed);
                OnlyMalformed(file[..at]);
            },
            iter: 200);
    }

    private static void OnlyMalformed(byte[] file)
    {
        try
        {
            EvidenceBundleJson.Parse(file).Verify(VendorAnchors.All);
        }
        catch (MalformedDataException)
        {
            // The one exception that may come out.
        }
    }
}
