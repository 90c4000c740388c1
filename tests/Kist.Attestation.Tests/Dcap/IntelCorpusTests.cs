using Kist.Formats;

namespace Kist.Attestation.Tests.Dcap;

/// <summary>Captured quotes, each judged at the time and with the collateral that the corpus names.</summary>
public sealed class IntelCorpusTests
{
    private const string Phala = "tdx/b0c06f-phala/collateral.json";
    private const string Gramine = "sgx/coffee-gramine-prod/collateral.json";
    private const string OldSigner = "sgx/icelake-oasis-prod/tcb-signing-chain.pem";
    private const string Root2023 = "sgx/coffee-mobilecoin-prod/root-ca.crl";
    private const string Root2026 = "sgx/pcs-api/root-ca-2026.crl";

    private static readonly string[] s_sapphireRapids2023 =
    [
        "tdx/spr-e4-google/tcbinfo-50806f-eval15.json", "tdx/spr-e4-google/td-qe-identity-eval15.json",
        "tdx/spr-e4-google/pck-platform-2023.crl", Root2023, OldSigner,
    ];

    private static readonly string[] s_gce2025 = ["tdx/gce-cos113/tcbinfo-00806f05-eval17.json", "tdx/gce-cos113/td-qe-identity-eval17.json", Phala];

    /// <summary>Quote, log, time, failures in order ("" if accepted), status, advisories, collateral.</summary>
    public static TheoryData<string, string?, string, string, string?, string, string[]> Quotes => new()
    {
        { "sgx/coffee-gramine-prod/quote.dat", null, "2025-06-25Z", "sgx.tcb.status", "ConfigurationAndSWHardeningNeeded", "INTEL-SA-00289 INTEL-SA-00615", [Gramine] },
        { "sgx/coffee-misordered-chain/quote.dat", null, "2021-06-25Z", "sgx.collateral.present sgx.debug", null, "", [Gramine] },
        {
            "sgx/coffee-mobilecoin-prod/quote.dat", null, "2023-07-20Z", "sgx.pck.revocation", "SWHardeningNeeded", "INTEL-SA-00334 INTEL-SA-00615",
            ["sgx/coffee-mobilecoin-prod/tcbinfo-00906ed50000-eval15.json", "sgx/coffee-mobilecoin-prod/qe-identity-eval15.json", Root2023, "sgx/coffee-mobilecoin-prod/pck-processor.crl", OldSigner]
        },
        { "sgx/derived/icelake-oasis-mrenclave-flipped.dat", null, "2023-01-01Z", "sgx.quote.signature sgx.collateral.present", null, "", [] },
        {
            "sgx/oe-plugin/evidence", null, "2022-04-28Z", "sgx.debug", "SWHardeningNeeded", "",
            ["sgx/oe-plugin/endorsements"]
        },
        { "sgx/certtype3/quote-eppid.dat", null, "2023-01-01Z", "sgx.pck.chain", null, "", [] },
        {
            "sgx/icelake-automata-prod/quote.hex", null, "2025-06-25Z", "", "SWHardeningNeeded", "INTEL-SA-00615",
            ["sgx/icelake-automata-prod/00606a000000-eval17.json", "sgx/icelake-automata-prod/qe3-identity-eval17.json", Phala]
        },
        {
            "sgx/icelake-automata-prod/quote.hex", null, "2025-06-25Z", "sgx.tcb.status", "OutOfDate",
            "INTEL-SA-00615 INTEL-SA-00657 INTEL-SA-00767 INTEL-SA-01079 INTEL-SA-01103",
            ["sgx/icelake-automata-prod/00606a000000-eval18.json", "sgx/icelake-automata-prod/qe3-identity-eval18.json", Phala]
        },
        {
            "sgx/icelake-automata-prod/quote.hex", null, "2023-01-10Z", "sgx.pck.validity sgx.pck.revocation sgx.collateral.signer.revocation",
            "SWHardeningNeeded", "INTEL-SA-00615 INTEL-SA-00657",
            ["sgx/icelake-automata-prod/00606a000000-eval13.json", "sgx/icelake-oasis-prod/qe-identity-eval13.json", OldSigner]
        },
        {
            "sgx/icelake-oasis-prod/quote.dat", null, "2023-01-01Z", "sgx.pck.revocation sgx.collateral.signer.revocation", "SWHardeningNeeded",
            "INTEL-SA-00615 INTEL-SA-00657",
            ["sgx/icelake-oasis-prod/tcbinfo-00606a-eval13.json", "sgx/icelake-oasis-prod/qe-identity-eval13.json", OldSigner]
        },
        {
            "sgx/icelake-occlum-debug/quote.dat", null, "2025-08-20Z", "sgx.tcb.status sgx.debug", "OutOfDate",
            "INTEL-SA-00586 INTEL-SA-00614 INTEL-SA-00615 INTEL-SA-00657 INTEL-SA-00730 INTEL-SA-00738 INTEL-SA-00767 INTEL-SA-00828 INTEL-SA-00837 INTEL-SA-00960",
            ["sgx/icelake-occlum-debug/tcbinfo-00606a-eval17.json", "sgx/icelake-occlum-debug/qe-identity-eval17.json", "sgx/icelake-occlum-debug/pck-platform.crl", Phala]
        },
        { "tdx/b0c06f-phala/quote.dat", null, "2025-06-25Z", "", "UpToDate", "", [Phala] },
        {
            "tdx/b0c06f-phala/quote.dat", null, "2026-02-03Z", "tdx.pck.revocation tdx.collateral.tcb_info.validity", "UpToDate", "",
            [Phala, "tdx/b0c06f-phala/td-qe-identity-eval18.json", Root2026]
        },
        {
            "tdx/c0806f-oasis/quote.dat", null, "2024-09-15Z", "tdx.pck.revocation tdx.collateral.signer.revocation", "UpToDate", "",
            ["tdx/c0806f-oasis/tcbinfo-c0806f-eval17.json", "tdx/c0806f-oasis/td-qe-identity-eval17.json", OldSigner]
        },
        { "tdx/derived/gnr-mrtd-flipped.dat", null, "2025-11-01Z", "tdx.quote.signature tdx.collateral.present", null, "", [] },
        { "tdx/dstack-ccel/quote.hex", "tdx/dstack-ccel/ccel.bin", "2025-06-25Z", "tdx.tcb.status tdx.eventlog.rtmr1 tdx.eventlog.rtmr3", "NotSupported", "", [Phala] },
        {
            "tdx/dstack-lite/getquote.json", null, "2026-04-20Z",
            "tdx.pck.revocation tdx.collateral.tcb_info.validity tdx.collateral.qe_identity.validity", "UpToDate", "",
            ["tdx/emr-v5-google/tcbinfo-90c06f-eval18.json", "tdx/b0c06f-phala/td-qe-identity-eval18.json", Phala, Root2026]
        },
        {
            "tdx/emr-v5-google/quote.dat", null, "2026-02-03Z", "tdx.pck.revocation", "UpToDate", "",
            ["tdx/emr-v5-google/tcbinfo-90c06f-eval18.json", "tdx/b0c06f-phala/td-qe-identity-eval18.json", Phala]
        },
        {
            "tdx/emr-v5-trustee/quote.dat", null, "2025-06-25Z", "tdx.tcb.status tdx.service_td", "NotSupported", "",
            ["tdx/emr-v5-trustee/tcbinfo-90c06f-eval17.json", Phala]
        },
        { "tdx/gce-cos113/quote.dat", "tdx/gce-cos113/ccel.bin", "2025-06-25Z", "", "UpToDate", "", s_gce2025 },
        { "tdx/gce-cos113/quote.dat", "tdx/gce-cos113/ccel-dupe-separator.bin", "2025-06-25Z", "tdx.eventlog.rtmr0 tdx.eventlog.rtmr1", "UpToDate", "", s_gce2025 },
        {
            "tdx/gnr-trustee/quote.dat", null, "2025-11-01Z", "tdx.pck.revocation tdx.tcb.status", "OutOfDate", "",
            ["tdx/gnr-trustee/tcbinfo-00a06d08-eval17.json", "tdx/gnr-trustee/td-qe-identity-eval17.json", Phala]
        },
        { "tdx/intel-qvl-sample/quote.dat", null, "2022-01-01Z", "tdx.pck.anchor tdx.collateral.present", null, "", [] },
        { "tdx/preproduction-ccapi/quote.dat", "tdx/preproduction-ccapi/ccel.bin", "2025-01-01Z", "tdx.pck.anchor tdx.collateral.present tdx.eventlog.rtmr2", null, "", [] },
        {
            "tdx/spr-debug-trustee/quote.dat", "tdx/spr-debug-trustee/ccel.bin", "2023-07-01Z", "tdx.eventlog.rtmr0 tdx.eventlog.rtmr1 tdx.debug", "UpToDate", "",
            s_sapphireRapids2023
        },
        { "tdx/spr-e4-google/quote.dat", null, "2023-07-01Z", "tdx.tcb.status", "NotSupported", "", s_sapphireRapids2023 },
        { "tdx/spr-oe-v4/quote.dat", null, "2023-07-01Z", "", "UpToDate", "", s_sapphireRapids2023 },
        { "tdx/spr-oe-v5/quote.dat", null, "2025-06-25Z", "tdx.tcb.status tdx.service_td", "OutOfDate", "INTEL-SA-00960 INTEL-SA-00982 INTEL-SA-00986", s_gce2025 },
    };

    [Theory]
    [MemberData(nameof(Quotes))]
    public void Verify_CapturedQuote_IsJudgedAsTheCorpusSays(
        string quote, string? log, string time, string failures, string? status, string advisories, string[] collateral)
    {
        var verdict = EvidenceVerifier.Verify(IntelCorpus.Load(quote, log), ExpectedBinding.None, IntelCorpus.Options(time, collateral));
        Assert.Equal(failures, string.Join(' ', verdict.Findings.Where(f => f.Outcome == FindingOutcome.Fail).Select(f => f.Id)));
        Assert.Equal(failures.Length == 0, verdict.IsAccepted);
        var platform = verdict.Claims switch
        {
            Sgx.SgxClaims sgx => sgx.Platform,
            Tdx.TdxClaims tdx => tdx.Platform,
            _ => throw new InvalidOperationException("there are no claims"),
        };
        Assert.Equal(status, platform.TcbStatus);
        Assert.Equal(advisories, string.Join(' ', platform.AdvisoryIds));
    }

    [Theory]
    [InlineData("sgx/derived/icelake-oasis-version-9.dat", "version 9")]
    [InlineData("tdx/derived/gnr-truncated.dat", "remain")]
    public void Verify_UnreadableQuote_IsMalformed(string quote, string reason)
    {
        var evidence = IntelCorpus.Load(quote);
        var error = Assert.Throws<MalformedDataException>(() => EvidenceVerifier.Verify(evidence, ExpectedBinding.None, IntelCorpus.Options("2025-01-01Z")));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_SignerWithInvalidPoint_IsRefused()
    {
        var options = IntelCorpus.Options(
            "2023-01-01Z", "sgx/icelake-oasis-prod/tcbinfo-00606a-eval13.json", "sgx/icelake-oasis-prod/qe-identity-eval13.json",
            "sgx/icelake-oasis-prod/tcb-signing-chain-bad.pem");
        var verdict = EvidenceVerifier.Verify(IntelCorpus.Load("sgx/icelake-oasis-prod/quote.dat"), ExpectedBinding.None, options);
        Assert.False(verdict.IsAccepted);
        Assert.Contains(verdict.Findings, f => f.Id.StartsWith("sgx.collateral.signer", StringComparison.Ordinal) && f.Outcome == FindingOutcome.Fail);
    }

    [Fact]
    public void Verify_IntelSample_IsGenuineUnderItsOwnRootOnly()
    {
        const string Folder = "sgx/intel-qvl-sample";
        var options = IntelCorpus.Options(
            "2020-01-01Z", $"{Folder}/tcbInfo.json", $"{Folder}/qeIdentity.json", $"{Folder}/tcbSignChain.pem", $"{Folder}/intermediateCaCrl.der",
            $"{Folder}/rootCaCrl.der");
        var beside = new CollateralReader();
        beside.Add(Testing.Evidence.Read($"{Folder}/pckCert.pem"));
        beside.Add(Testing.Evidence.Read($"{Folder}/pckSignChain.pem"));
        var evidence = IntelCorpus.Load($"{Folder}/quote.dat") with { Certificates = beside.PckCertificates };
        var production = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, options);
        Assert.Equal("sgx.pck.anchor", production.DecisiveFailure?.Id);
        var test = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, options with { Anchors = IntelCorpus.Anchor($"{Folder}/trustedRootCaCert.pem") });
        Assert.True(test.IsAccepted, VerdictTree.ToText(test));
    }

    /// <summary>Its SVNs are beyond 255, which no PCK certificate can reach and Intel's service never publishes.</summary>
    [Fact]
    public void Add_TdxSampleTcbInfo_IsMalformed() =>
        Assert.Throws<MalformedDataException>(() => new CollateralReader().Add(Testing.Evidence.Read("tdx/intel-qvl-sample/tcbInfo.json")));

    /// <summary>Every member of the claims that Trustee gives for this quote, but the log, which does not replay to it.</summary>
    [Fact]
    public void WriteTo_DebugTd_IsWhatTrusteeShows()
    {
        var verdict = EvidenceVerifier.Verify(IntelCorpus.Load("tdx/spr-debug-trustee/quote.dat"), ExpectedBinding.None, IntelCorpus.Options("2023-07-01Z", s_sapphireRapids2023));
        using var stream = new MemoryStream();
        using (var writer = new System.Text.Json.Utf8JsonWriter(stream))
            verdict.Claims!.WriteTo(writer);
        using var ours = System.Text.Json.JsonDocument.Parse(stream.ToArray());
        using var theirs = System.Text.Json.JsonDocument.Parse(Testing.Evidence.Read("tdx/spr-debug-trustee/expected-claims.json"));
        foreach (var expected in theirs.RootElement.EnumerateObject().Where(m => m.Name != "uefi_event_logs"))
        {
            var actual = ours.RootElement.GetProperty(expected.Name);
            if (expected.Name == "td_attributes")
                Assert.All(expected.Value.EnumerateObject(), m => Assert.Equal(m.Value.GetBoolean(), actual.GetProperty(m.Name).GetBoolean()));
            else
                Assert.True(System.Text.Json.JsonElement.DeepEquals(expected.Value, actual), $"{expected.Name}: {actual}");
        }

        Assert.Equal("UpToDate", ours.RootElement.GetProperty("tcb_status").GetString());
        Assert.Equal("0", ours.RootElement.GetProperty("collateral_expiration_status").GetString());
        Assert.Equal("2018-05-21T10:45:10Z", ours.RootElement.GetProperty("earliest_issue_date").GetString());
        Assert.Equal("Scalable", ours.RootElement.GetProperty("sgx_type").GetString());
        Assert.Equal("df4c32a9d8d86009aaf380ec43cfcefb", ours.RootElement.GetProperty("platform_provider_id").GetString());
        Assert.Equal(
            "46e403bd34f05a3f2817ab9badcaacc7ffc98e0f261008cd30dae936cace18d5dcf58eef31463613de1570d516200993",
            ours.RootElement.GetProperty("root_key_id").GetString());
    }

    [Fact]
    public void Verify_SgxIdentityForTdx_IsRefused()
    {
        var raw = IntelCorpus.Options("2026-02-03Z", Phala).Collateral.FindDcap(new DcapCollateralKey("b0c06f000000", PckCa.Platform, "tdx"))!;
        var store = new CollateralStore();
        store.Add(
            new DcapCollateralKey("b0c06f000000", PckCa.Platform, "tdx"),
            new DcapCollateral
            {
                TcbInfo = raw.TcbInfo,
                TcbInfoIssuerChain = raw.TcbInfoIssuerChain,
                QeIdentity = Testing.Evidence.Read("tdx/b0c06f-phala/sgx-qe-identity-eval18.json"),
                QeIdentityIssuerChain = raw.QeIdentityIssuerChain,
                PckCrl = raw.PckCrl,
                RootCaCrl = raw.RootCaCrl,
            });
        var options = new VerificationOptions { Time = new DateTimeOffset(2025, 6, 25, 0, 0, 0, TimeSpan.Zero), Collateral = store };
        var verdict = EvidenceVerifier.Verify(IntelCorpus.Load("tdx/b0c06f-phala/quote.dat"), ExpectedBinding.None, options);
        var failed = verdict.Findings.Where(f => f.Outcome == FindingOutcome.Fail).Select(f => f.Id).ToList();
        Assert.Contains("tdx.collateral.qe_identity.enclave", failed);
        Assert.Contains("tdx.qe.identity", failed);
    }

    [Fact]
    public void Verify_Bindings_AreCompared()
    {
        var options = IntelCorpus.Options("2025-06-25Z", s_gce2025);
        var evidence = IntelCorpus.Load("tdx/gce-cos113/quote.dat", "tdx/gce-cos113/ccel.bin");
        var nonce = Testing.Evidence.Read("tdx/gce-cos113/nonce.bin");
        Assert.True(EvidenceVerifier.Verify(evidence, new ExpectedBinding(nonce, new byte[32]), options).IsAccepted);
        nonce[63] ^= 1;
        Assert.Equal("tdx.binding.report_data", EvidenceVerifier.Verify(evidence, new ExpectedBinding(nonce, null), options).DecisiveFailure?.Id);
        Assert.Equal("tdx.binding.report_data", EvidenceVerifier.Verify(evidence, new ExpectedBinding(new byte[65], null), options).DecisiveFailure?.Id);
        Assert.Equal("tdx.binding.init_data", EvidenceVerifier.Verify(evidence, new ExpectedBinding(null, new byte[] { 1 }), options).DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_Policies_DecideAboutStatusGraceAdvisoriesAndMinimums()
    {
        var gramine = IntelCorpus.Load("sgx/coffee-gramine-prod/quote.dat");
        var options = IntelCorpus.Options("2025-06-25Z", Gramine);
        var lenient = options.Tcb with { AcceptedStatuses = [.. options.Tcb.AcceptedStatuses, "ConfigurationAndSWHardeningNeeded"] };
        string? Decisive(Evidence evidence, VerificationOptions o, TcbPolicy policy) =>
            EvidenceVerifier.Verify(evidence, ExpectedBinding.None, o with { Tcb = policy }).DecisiveFailure?.Id;
        Assert.Null(Decisive(gramine, options, lenient));
        Assert.Equal("sgx.tcb.advisories", Decisive(gramine, options, lenient with { RejectedAdvisories = ["INTEL-SA-00289"] }));
        Assert.Equal("sgx.tcb.advisories", Decisive(gramine, options, lenient with { AcceptedAdvisories = ["INTEL-SA-00289"] }));
        Assert.Null(Decisive(gramine, options, lenient with { AcceptedAdvisories = ["INTEL-SA-00289", "INTEL-SA-00615"] }));
        Assert.Equal("sgx.collateral.qe_identity.evaluation_number", Decisive(gramine, options, lenient with { MinimumEvaluationDataNumber = 18 })?.Replace("tcb.evaluation", "collateral.qe_identity.evaluation", StringComparison.Ordinal));
        Assert.Equal("sgx.enclave.svn", Decisive(gramine, options, lenient with { MinimumGuestSvn = 1 }));
        Assert.Equal("sgx.tcb.minimum.pcesvn", Decisive(gramine, options, lenient with { MinimumComponents = lenient.MinimumComponents.Add("pcesvn", 14) }));
        Assert.Null(Decisive(gramine, options, lenient with { MinimumComponents = lenient.MinimumComponents.Add("sgxtcbcomp01svn", 11) }));
        Assert.Equal("sgx.tcb.minimum.unknown", Decisive(gramine, options, lenient with { MinimumComponents = lenient.MinimumComponents.Add("unknown", 0) }));
        Assert.Equal("sgx.platform.allowed", Decisive(gramine, options, lenient with { AllowedChips = ["ff"] }));
        Assert.Null(Decisive(gramine, options, lenient with { AllowedChips = ["00a067110000"] }));

        var automata = IntelCorpus.Load("sgx/icelake-automata-prod/quote.hex");
        var newer = IntelCorpus.Options("2025-06-25Z", "sgx/icelake-automata-prod/00606a000000-eval18.json", "sgx/icelake-automata-prod/qe3-identity-eval18.json", Phala);
        Assert.Equal("sgx.tcb.status", Decisive(automata, newer, newer.Tcb with { GracePeriod = TimeSpan.FromDays(400) }));
        Assert.Null(Decisive(automata, newer, newer.Tcb with { GracePeriod = TimeSpan.FromDays(500) }));
    }
}
