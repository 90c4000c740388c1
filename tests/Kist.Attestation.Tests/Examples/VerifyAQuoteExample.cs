namespace Kist.Attestation.Tests.Examples;

/// <summary>The code of docs/attestation.md, which a test below compares with the document.</summary>
public sealed class VerifyAQuoteExample
{
    [Fact]
    public void VerifyAQuote()
    {
        var file = Testing.Evidence.Read("tdx/b0c06f-phala/quote.dat");
        var collateralFile = Testing.Evidence.Read("tdx/b0c06f-phala/collateral.json");
        var nonce = file[568..632];
        var output = new StringWriter();

        // example: verify
        var evidence = EvidenceDetector.Detect(file).Evidence;

        var time = new DateTimeOffset(2025, 6, 25, 0, 0, 0, TimeSpan.Zero);
        var collateral = new CollateralReader();
        collateral.Add(collateralFile);

        var options = new VerificationOptions
        {
            Time = time,
            Collateral = collateral.Build(time),
            Tcb = TcbPolicy.Default with { GracePeriod = TimeSpan.FromDays(30) },
        };
        var verdict = EvidenceVerifier.Verify(evidence, new ExpectedBinding(nonce, null), options);
        if (!verdict.IsAccepted)
            VerdictTree.Write(output, verdict);
        // end

        Assert.True(verdict.IsAccepted, output.ToString());
    }

    [Fact]
    public void VerifyManyQuotes()
    {
        var quote = Testing.Evidence.Read("tdx/b0c06f-phala/quote.dat");
        var reportData = quote[568..632];
        var now = new DateTimeOffset(2025, 6, 25, 0, 0, 0, TimeSpan.Zero);
        var options = Dcap.IntelCorpus.Options("2025-06-25Z", "tdx/b0c06f-phala/collateral.json");

        // example: many
        var verifier = new Kist.Attestation.Dcap.QuoteVerifier(options);
        bool accepted = verifier.Verify(quote, reportData, now);
        // end

        Assert.True(accepted);
    }

    [Fact]
    public void KeepABundle()
    {
        var evidence = Dcap.IntelCorpus.Load("tdx/b0c06f-phala/quote.dat");
        var options = Dcap.IntelCorpus.Options("2025-06-25Z", "tdx/b0c06f-phala/collateral.json");

        // example: bundle
        var (bundle, verdict) = EvidenceBundle.Create(evidence, ExpectedBinding.None, options);
        byte[] saved = EvidenceBundleJson.Write(bundle);

        var stricter = TcbPolicy.Default with { MinimumEvaluationDataNumber = 18 };
        var restored = EvidenceBundleJson.Parse(saved);
        var underNewPolicy = (restored with { Options = restored.Options with { Tcb = stricter } }).Verify(VendorAnchors.All);
        // end

        Assert.True(verdict.IsAccepted);
        Assert.Equal("tdx.tcb.evaluation_number", underNewPolicy.DecisiveFailure?.Id);
    }

    [Theory]
    [InlineData("verify")]
    [InlineData("many")]
    [InlineData("bundle")]
    public void Document_ShowsTheCodeThatIsTestedHere(string name)
    {
        var root = Testing.Evidence.RepositoryRoot;
        var source = File.ReadAllText(Path.Combine(root, "tests/Kist.Attestation.Tests/Examples/VerifyAQuoteExample.cs"));
        var start = source.IndexOf($"// example: {name}\n", StringComparison.Ordinal) + $"// example: {name}\n".Length;
        var code = source[start..source.IndexOf("        // end", start, StringComparison.Ordinal)];
        var shown = string.Join('\n', code.Split('\n').Select(l => l.StartsWith("        ", StringComparison.Ordinal) ? l[8..] : l));
        Assert.Contains(shown, File.ReadAllText(Path.Combine(root, "docs/attestation.md")), StringComparison.Ordinal);
    }
}
