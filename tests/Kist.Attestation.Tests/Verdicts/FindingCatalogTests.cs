using System.Text.RegularExpressions;
using Kist.Attestation.Tests.Dcap;

namespace Kist.Attestation.Tests.Verdicts;

public sealed partial class FindingCatalogTests
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

    /// <summary>Every code that the source gives a finding, with the TEE's name or a certificate path's prefix put in.</summary>
    [Fact]
    public void Find_EveryCodeInTheSource_IsExplained()
    {
        var codes = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(SourceFolder(), "*.cs", SearchOption.AllDirectories))
        {
            if (file.Contains("/obj/", StringComparison.Ordinal))
                continue;
            foreach (Match match in FindingCall().Matches(File.ReadAllText(file)))
                codes.UnionWith(Expand(match.Groups["code"].Value));
        }

        Assert.True(codes.Count > 120, $"only {codes.Count} codes were found: the pattern no longer fits the source");
        Assert.DoesNotContain(codes, c => FindingCatalog.Find(c) is not { Text.Length: > 10 });
    }

    private static IEnumerable<string> Expand(string code)
    {
        string[] starts = code.StartsWith("{prefix}", StringComparison.Ordinal) ? ["tdx.pck", "sgx.collateral.tcb_info", "snp.chain", "nitro.chain", "psa.key", "cca.platform.key"]
            : code.StartsWith('{') ? ["tdx", "sgx", "az-tdx-vtpm", "az-snp-vtpm"]
            : [""];
        var rest = code.StartsWith('{') ? code[(code.IndexOf('}', StringComparison.Ordinal) + 1)..] : code;
        // What else is put in is a name or number of the evidence: the code before it must be explained.
        var fixedPart = rest.IndexOf('{', StringComparison.Ordinal) is var at and >= 0 ? rest[..at].TrimEnd('.') : rest;
        return starts.Select(s => s + fixedPart).Where(c => c.Contains('.', StringComparison.Ordinal) || c == "reference");
    }

    private static string SourceFolder() => Path.Combine(Testing.Evidence.RepositoryRoot, "src", "Kist.Attestation");

    [GeneratedRegex("""(?:(?:Check|CheckSignature|Pass|Fail|NotChecked)\(|const string id =)\s*(?:verdict,\s*)?\$?"(?<code>[a-z{][^" ]*)"[,;]""")]
    private static partial Regex FindingCall();

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
