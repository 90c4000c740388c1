using System.Security.Cryptography;
using System.Security.Cryptography.Cose;
using System.Text;
using System.Text.Json;
using Kist.Attestation.Corim;
using Kist.Formats;
using Kist.Measurement.Firmware;
using Kist.Measurement.Manifests;
using Kist.Measurement.Matching;
using Kist.Measurement.Nitro;
using Kist.Measurement.Sev;
using Kist.Measurement.Snp;
using Kist.Measurement.Tdx;
using Kist.Measurement.Tpm;
using Kist.Measurement.Uefi;
using Kist.Testing;

namespace Kist.Measurement.Tests.Manifests;

public sealed class ManifestTests
{
    private static readonly LaunchInputs Inputs = new()
    {
        Firmware = SyntheticOvmf.WithTdx().Build(),
        Kernel = new SyntheticKernel().Build(),
        Initrd = "initrd"u8.ToArray(),
        CommandLine = "quiet",
        MemoryBytes = 512 << 20,
        Acpi = AcpiDigests.Of("a"u8, "b"u8, "c"u8),
    };

    [Fact]
    public void Json_RoundTrips_AndIsTheSameBytesEveryTime()
    {
        var manifest = Manifest(Inputs);
        var json = ManifestJson.Write(manifest);
        Assert.Equal(json, ManifestJson.Write(ManifestJson.Parse(json)));
        Assert.Equal(json, ManifestJson.Write(Manifest(Inputs)));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"kist_measurement\":2}")]
    [InlineData("{\"kist_measurement\":1}")]
    [InlineData("{\"kist_measurement\":1,\"tee\":\"tdx\",\"profile\":\"x\",\"inputs\":{},\"registers\":{\"a\":\"zz\"},\"steps\":[],\"not_covered\":[]}")]
    [InlineData("{\"kist_measurement\":1,\"tee\":null,\"profile\":\"x\",\"inputs\":{},\"registers\":{},\"steps\":[],\"not_covered\":[]}")]
    public void Parse_OtherDocuments_AreRefused(string json) =>
        Assert.Throws<MalformedDataException>(() => ManifestJson.Parse(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Difference_ChangedCommandLine_NamesInputRegisterAndEvent()
    {
        var differences = ManifestDifference.Between(Manifest(Inputs), Manifest(Inputs with { CommandLine = "debug" }));
        Assert.Contains(differences, d => d is { Register: "", What: "input command line", Left: "quiet", Right: "debug" });
        Assert.Contains(differences, d => d is { Register: "rtmr2", What: "register" });
        Assert.Contains(differences, d => d.Register == "rtmr2" && d.What.Contains("[command line]", StringComparison.Ordinal));
        Assert.DoesNotContain(differences, d => d.Register is "mrtd" or "rtmr0" or "rtmr1");
    }

    [Fact]
    public void Difference_EventLeftOut_ShowsItAsMissing()
    {
        var differences = ManifestDifference.Between(Manifest(Inputs), Manifest(Inputs with { Acpi = null }));
        var missing = differences.Where(d => d is { Register: "rtmr0", Right: null, Left: not null } && d.What != "register").ToList();
        Assert.Equal(3, missing.Count);
        Assert.All(missing, d => Assert.Contains("[acpi]", d.What, StringComparison.Ordinal));
    }

    [Fact]
    public void Difference_OfEqualManifests_IsEmpty() => Assert.Empty(ManifestDifference.Between(Manifest(Inputs), Manifest(Inputs)));

    [Fact]
    public void EventLog_ReadBack_HasTheRegistersOfThePrediction()
    {
        var predicted = LaunchPredictor.Predict(Inputs);
        var manifest = EvidenceRegisters.Read(predicted.WriteEventLog());
        Assert.Equal("tdx", manifest.Tee);
        for (var i = 0; i < 3; i++)
            Assert.Equal(predicted.Rtmrs[i], manifest.Find($"rtmr{i}"));
        Assert.Equal(20, manifest.Steps.Length);
    }

    [Fact]
    public void Evidence_OfRealQuotes_ShowsItsRegisters()
    {
        var manifest = EvidenceRegisters.Read(Evidence.Read("tdx/gce-cos113/quote.dat"), Evidence.Read("tdx/gce-cos113/ccel.bin"));
        Assert.Equal("dae67181d3d65e073ad8f95b7907d5e927bfe9761c9ff3e9b89734a45d8954dba41394c7717cb2735396c1d04231f94a", manifest.Find("mrtd").ToString());
        Assert.NotEmpty(manifest.Steps);
        var report = EvidenceRegisters.Read(Evidence.Read("snp/genoa-v5-oak/report.bin"));
        Assert.Equal("c57729018b0a6fb90dc17bb138b0aa35e4401004283ff4a2c24d3739ff3750f52384370e77b7032862a08c440a9bc4dc", report.Find("measurement").ToString());
    }

    [Fact]
    public void Artefacts_FirmwareWithAChangedByte_NamesPageAndSection()
    {
        var left = SyntheticOvmf.WithTdx().Build();
        var right = (byte[])left.Clone();
        right[0x5010] ^= 1;
        var difference = Assert.Single(ArtefactDifference.Between(left, right));
        Assert.Contains("page 0xffff5000", difference.What, StringComparison.Ordinal);
        Assert.Contains("BootFirmwareVolume", difference.What, StringComparison.Ordinal);
        Assert.Contains("0x5010", difference.What, StringComparison.Ordinal);
        Assert.Empty(ArtefactDifference.Between(left, (byte[])left.Clone()));
    }

    [Fact]
    public void Artefacts_UnifiedKernelWithAnotherCommandLine_NamesTheSection()
    {
        var left = SyntheticUki.Build((".linux", [1]), (".cmdline", [2]));
        var right = SyntheticUki.Build((".linux", [1]), (".cmdline", [3]));
        Assert.Equal("section .cmdline", Assert.Single(ArtefactDifference.Between(left, right)).What);
        Assert.Equal("PE image", ArtefactDifference.KindOf(left));
        Assert.Equal("kernel", ArtefactDifference.KindOf(new SyntheticKernel().Build()));
        Assert.Equal("enclave image", ArtefactDifference.KindOf(SyntheticEif.Build((1, [1]))));
        Assert.Equal("file", ArtefactDifference.KindOf("hello"u8.ToArray()));
    }

    [Fact]
    public void TdxMatch_OfALaunchWithAnotherProfileAndMemory_FindsBoth()
    {
        var evidence = Manifest(Inputs with { MemoryBytes = 768 << 20, Profile = TdxLaunchProfile.Qemu8 });
        var result = TdxMatcher.Match(evidence, Inputs, [512UL << 20, 768UL << 20]);
        Assert.True(result.IsExplained);
        Assert.Equal(["qemu8, 512 MiB", "qemu8, 768 MiB"], result.Registers.Single(r => r.Register == "mrtd").By);
        Assert.Contains("qemu8, 768 MiB", result.Registers.Single(r => r.Register == "rtmr0").By);
    }

    [Fact]
    public void TdxMatch_OfAChangedInitrd_NamesTheEventThatIsNotPredicted()
    {
        var evidence = Manifest(Inputs with { Initrd = "Initrd"u8.ToArray() });
        var result = TdxMatcher.Match(evidence, Inputs, [512UL << 20]);
        Assert.False(result.IsExplained);
        var rtmr2 = result.Registers.Single(r => r.Register == "rtmr2");
        Assert.False(rtmr2.IsExplained);
        Assert.Contains(rtmr2.By, b => b.Contains("[initrd]", StringComparison.Ordinal));
        Assert.True(result.Registers.Single(r => r.Register == "rtmr1").IsExplained);
    }

    [Fact]
    public void SnpMatch_FindsMonitorProcessorCountAndGeneration()
    {
        var inputs = new SnpLaunchInputs { Firmware = OvmfImage.Parse(SyntheticOvmf.WithTdx().Build()), Kernel = KernelHashes.Of([1], [2], "quiet") };
        var measurement = SnpLaunchMeasurement.Of(inputs with
        {
            VirtualCpus = 4,
            CpuSignature = CpuSignature.Find("EPYC-Milan")!.Value,
            Features = 0x21,
            Generation = KernelGeneration.BeforeInit2,
        }).LaunchDigest;
        var result = SnpMatcher.Match(measurement, inputs, SnpMatcher.UsualVirtualCpus);
        Assert.Equal(["qemu, EPYC-Milan, 4 vCPU, features 0x21, kernel before 6.10"], Assert.Single(result.Registers).By);
        Assert.False(SnpMatcher.Match(HashValue.Zero(48), inputs, [1, 2]).IsExplained);
    }

    [Fact]
    public void AgentEvents_Given_PredictRtmr3AndAreStated()
    {
        const string entry = "github.com/confidential-containers PullImage {\"image\":\"a b\"}";
        var predicted = LaunchPredictor.Predict(Inputs with { AgentEvents = [entry] });
        var data = new byte[] { 0x4c, 0x45, 0x41, 0x41, (byte)entry.Length, 0, 0, 0 }.Concat(Encoding.UTF8.GetBytes(entry)).ToArray();
        Assert.Equal(HashValue.Zero(48).Extend(HashValue.Sha384(data)), predicted.Rtmrs[3]);

        var manifest = Manifest(Inputs with { AgentEvents = [entry] });
        Assert.Contains("rtmr3", ReferenceSetWriter.Registers(manifest));
        Assert.DoesNotContain("rtmr3", ReferenceSetWriter.Registers(Manifest(Inputs)));
        // The log that the prediction writes says the same, and its reader finds domain, operation and content again.
        Assert.Equal(predicted.Rtmrs[3], EvidenceRegisters.Read(predicted.WriteEventLog()).Find("rtmr3"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("domain operation")]
    [InlineData(" operation content")]
    [InlineData("domain operation a\nb")]
    public void AgentEvents_OfAnotherForm_AreRefused(string entry) =>
        Assert.Throws<OperationFailedException>(() => LaunchPredictor.Predict(Inputs with { AgentEvents = [entry] }));

    [Fact]
    public void Match_OfUnifiedKernelBoot_NamesTheSectionThatDiffers()
    {
        static MeasurementManifest Boot(string commandLine) => MeasurementManifest.Of(
            TpmBootMeasurement.Of(
                new UefiBootInputs
                {
                    UnifiedKernel = UnifiedKernelImage.Parse(SyntheticUki.Build((".linux", [1]), (".cmdline", Encoding.ASCII.GetBytes(commandLine)))),
                    StubLoadsKernelImage = false,
                },
                HashAlgorithmName.SHA256),
            "sha256", []);

        var result = RegisterMatcher.Match(Boot("quiet"), [new("quiet", Boot("quiet")), new("debug", Boot("debug"))]);
        var failed = RegisterMatcher.Match(Boot("quiet"), [new("debug", Boot("debug"))]);

        Assert.True(result.IsExplained);
        Assert.Equal(["quiet"], result.Registers.Single(r => r.Register == "pcr11").By);
        Assert.Contains(failed.Registers.Single(r => r.Register == "pcr11").By, b => b.Contains("section .cmdline", StringComparison.Ordinal));
        Assert.True(failed.Registers.Single(r => r.Register == "pcr7").IsExplained);
    }

    [Fact]
    public void ArtefactRegisters_LayAnArtefactBesideWhatItDecides()
    {
        var tdx = Manifest(Inputs with { Profile = TdxLaunchProfile.Qemu8 });
        Assert.Equal(tdx.Find("mrtd"), ArtefactRegisters.Read(Inputs.Firmware, tdx).Find("mrtd"));

        var eif = SyntheticEif.Build((1, [1]), (2, [2]), (3, [3]));
        var nitro = MeasurementManifest.Of(NitroMeasurement.Of(EifImage.Parse(eif)), []);
        Assert.Equal(nitro.Find("pcr0"), ArtefactRegisters.Read(eif, nitro).Find("pcr0"));

        Assert.Throws<OperationFailedException>(() => ArtefactRegisters.Read(eif, tdx));
    }

    [Fact]
    public void ReferenceSet_LeavesOutWhatIsNotCovered()
    {
        var expires = new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var covered = JsonDocument.Parse(ReferenceSetWriter.Write(Manifest(Inputs), "guest", expires, "test"));
        var claims = covered.RootElement.GetProperty("claims");
        Assert.Equal(
            ["quote.body.mr_td", "quote.body.rtmr_0", "quote.body.rtmr_1", "quote.body.rtmr_2", "quote.body.mr_config_id"],
            claims.EnumerateObject().Select(c => c.Name));
        Assert.Equal("2027-01-01T00:00:00Z", covered.RootElement.GetProperty("expires").GetString());

        Assert.DoesNotContain("rtmr0", ReferenceSetWriter.Registers(Manifest(Inputs with { Acpi = null })));
        Assert.Contains("rtmr0", ReferenceSetWriter.Registers(Manifest(Inputs with { Acpi = null, Profile = TdxLaunchProfile.Simulated })));
    }

    [Fact]
    public void Corim_Signed_VerifiesAndHoldsTheRegisters()
    {
        var manifest = Manifest(Inputs);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var from = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var document = CorimWriter.Sign(CorimWriter.Write(manifest, ReferenceSetWriter.Registers(manifest), "id", from, from.AddYears(1)), key, "signer");
        var message = CoseMessage.DecodeSign1(document);
        Assert.True(message.VerifyEmbedded(key));
        Assert.Equal("application/rim+cbor", message.ProtectedHeaders[CoseHeaderLabel.ContentType].GetValueAsString());

        var read = CorimDocument.Parse(document);
        Assert.True(read.IsSignedBy(key.ExportSubjectPublicKeyInfo()));
        Assert.True(read.IsValidAt(from));
        Assert.False(read.IsValidAt(from.AddYears(1)));
        var set = Assert.Single(CorimReferenceSet.Of(read));
        Assert.Equal(("id", "tdx", from), (set.Name, set.Tee, set.NotBefore));
        Assert.Equal(
            ["quote.body.mr_td", "quote.body.rtmr_0", "quote.body.rtmr_1", "quote.body.rtmr_2", "quote.body.mr_config_id"], set.Claims.Select(c => c.Claim));
        Assert.Equal([manifest.Find("rtmr1")!.Value.ToString()], set.Claims.Single(c => c.Claim == "quote.body.rtmr_1").Accepted);
    }

    [Fact]
    public void Corim_RegisterThatNoClaimShows_IsNoReferenceSet()
    {
        var manifest = new MeasurementManifest("tdx", "x", [], [new("other", HashValue.Zero(48))], [], []);
        var document = CorimDocument.Parse(CorimWriter.Write(manifest, ["other"], "id", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1)));
        Assert.Throws<MalformedDataException>(() => CorimReferenceSet.Of(document));
        Assert.Throws<OperationFailedException>(() => ReferenceSetWriter.Write(manifest, "name", DateTimeOffset.UnixEpoch, "test"));
    }

    private static MeasurementManifest Manifest(LaunchInputs inputs) => MeasurementManifest.Of(
        LaunchPredictor.Predict(inputs), inputs.Profile.Name,
        [ManifestInput.File("firmware", inputs.Firmware.Span), ManifestInput.File("kernel", inputs.Kernel.Span), new("command line", inputs.CommandLine)]);
}
