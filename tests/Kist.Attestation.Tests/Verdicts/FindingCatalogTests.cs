using Kist.Attestation.Tests.Dcap;

namespace Kist.Attestation.Tests.Verdicts;

public sealed class FindingCatalogTests
{
    [Fact]
    public void Find_CodesThatEveryTeeHas_AreExplained()
    {
        foreach (var tee in EvidenceVerifier.Tees)
        {
            foreach (var code in new[] { "binding.report_data", "binding.init_data", "simulated", "debug" })
                Assert.NotNull(FindingCatalog.Find($"{tee}.{code}"));
        }
    }

    [Fact]
    public void Find_UnknownCode_IsNull()
    {
        Assert.Null(FindingCatalog.Find("nonsense.code"));
        Assert.Null(FindingCatalog.Find(""));
    }

    [Fact]
    public void Find_LongerCode_IsExplainedByItsPrefix() => Assert.Equal("reference", FindingCatalog.Find("reference.quote.body.mr_td")?.Id);

    [Fact]
    public void Find_EveryFindingOfAQuote_IsExplained()
    {
        foreach (var quote in new[] { "tdx/emr-v5-trustee/quote.dat", "sgx/coffee-gramine-prod/quote.dat", "sgx/certtype3/quote-eppid.dat" })
        {
            var verdict = EvidenceVerifier.Verify(
                IntelCorpus.Load(quote), ExpectedBinding.None,
                IntelCorpus.Options("2025-06-25Z", "tdx/b0c06f-phala/collateral.json", "tdx/emr-v5-trustee/tcbinfo-90c06f-eval17.json", "sgx/coffee-gramine-prod/collateral.json"));
            Assert.All(verdict.Findings, f => Assert.NotNull(FindingCatalog.Find(f.Id)));
        }
    }
}
