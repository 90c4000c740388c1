using System.Collections.Immutable;
using System.Text.Json;
using Kist.Formats;
using Kist.Measurement.Firmware;
using Kist.Measurement.Sev;
using Kist.Measurement.Snp;
using Kist.Testing;

namespace Kist.Measurement.Tests.Snp;

/// <summary>Published launch digests; see tests/vectors/SOURCES.md.</summary>
public sealed class SnpVectorTests
{
    private const string EmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// <summary>What the firmware of sev-snp-measure's fixtures says of itself; its digest stands for the 4 MiB that are not kept.</summary>
    private static SnpFirmwareDescription AmdSev(string digest) => new(
        HashValue.Parse(digest),
        [
            new(0x800000, 0x9000, SevSectionType.SecMemory), new(0x80a000, 0x3000, SevSectionType.SecMemory),
            new(0x80d000, 0x1000, SevSectionType.Secrets), new(0x80e000, 0x1000, SevSectionType.Cpuid),
            new(0x80f000, 0x1000, SevSectionType.SvsmCallingArea), new(0x810000, 0x1000, SevSectionType.KernelHashes),
            new(0x811000, 0xf000, SevSectionType.SecMemory),
        ],
        0x810c00, 0x80b004);

    private static readonly SnpFirmwareDescription Fixture =
        AmdSev("086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3aa16aff8c374c2a55c467a50da6d466b74");

    [Theory]
    [InlineData(1, 0x01, "console=ttyS0 loglevel=7", VmmType.Qemu, "6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042e706363b4b08fa")]
    [InlineData(1, 0x21, "console=ttyS0 loglevel=7", VmmType.Qemu, "803f691094946e42068aaa3a8f9e26a5c89f36f7b73ecfb28c653360fe4b3aba7e534442e7e1e17895dfe778d0228977")]
    [InlineData(1, 0x01, "", VmmType.Qemu, "ddc5224521617a536ee7ce9dd6224d1b58a8d4fda1c741f3ac99fc4bfa04ba6e9fc98646d4a07a9079397fa3852819b5")]
    [InlineData(1, 0x21, "", VmmType.Qemu, "329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae15d22efc78fb9683632b9b50e4e1d7fa41179ef98a7ef198")]
    [InlineData(4, 0x01, "", VmmType.Qemu, "5061fffb019493a903613d56d54b94912a1a2f9e4502385f5c194616753720a92441310ba6c4933de877c36e23046ad5")]
    [InlineData(4, 0x21, "", VmmType.Qemu, "4953b1fb416fa874980e8442b3706d345926d5f38879134e00813c5d7abcbe78eafe7b422907be0b4698e2414a631942")]
    [InlineData(1, 0x01, null, VmmType.Qemu, "19358ba9a7615534a9a1e2f0dfc29384dcd4dcb7062ff9c6013b26869a5fc6ecabe033c48dd6f6db5d6d76e7c5df632d")]
    [InlineData(1, 0x21, null, VmmType.Qemu, "e1e1ca029dd7973ab9513295be68198472dcd4fc834bd9af9b63f6e8a1674dbf281a9278a4a2ebe0eed9f22adbcd0e2b")]
    [InlineData(1, 0x01, "", VmmType.Ec2, "0883bd0eeb716e65b7b977a321c278d1e51b33b5c655fab985443bbcc65c086b9c15e8a0bd8811050dec7e24964e5056")]
    [InlineData(1, 0x21, "", VmmType.Ec2, "0ce9ccc06bab55eebe8abc234f3df6514883977a68a591b71052498ab52b2f1aa415db338033946ef93aa8278c0d67fb")]
    [InlineData(1, 0x01, "", VmmType.Gce, "5da7106cf14cf46b1725ebab123eb9e53bd46a1e9f400cd0c08e7827b04b688ea8b4e403c8404efed4397ea5d5d0722e")]
    [InlineData(4, 0x01, "", VmmType.Gce, "5c5debf100fc339f90276e761ee1f1658d08922c3b20e2a2e6c7a6c3370b2452a15a00eae11886a93d6fd1e7ab81e29d")]
    public void LaunchDigest_OfTheAmdSevFirmware_IsThePublishedOne(int cpus, ulong features, string? commandLine, VmmType vmm, string expected)
    {
        var inputs = new SnpLaunchInputs
        {
            Precomputed = Fixture,
            VirtualCpus = cpus,
            CpuSignature = CpuSignature.Find("EPYC-v4")!.Value,
            Features = features,
            Vmm = vmm,
            Kernel = commandLine is null ? null : KernelHashes.Of([], [], commandLine),
        };
        Assert.Equal(expected, SnpLaunchMeasurement.Of(inputs).LaunchDigest.ToString());
    }

    [Fact]
    public void Steps_OfTheFirstVector_AreThePublishedIntermediates()
    {
        var inputs = new SnpLaunchInputs
        {
            Precomputed = Fixture,
            CpuSignature = CpuSignature.Find("EPYC-v4")!.Value,
            Kernel = KernelHashes.Of([], [], "console=ttyS0 loglevel=7"),
        };
        var steps = SnpLaunchMeasurement.Of(inputs).Steps;
        Assert.Equal(
            ["086e2e9149eb", "411a1360ae40", "e0b2ff7ad806", "230c05427474", "17af371be37e", "1de7f0d81360", "ce06e9d69b17", "36fcd572bd47", "6d287813eb52"],
            steps.Select(s => s.Digest.ToString()[..12]));
        Assert.Equal(
            "77920c4c629ff47e90c0e174fc1ad0eb6fa664f88cd4739488058a8c6cb1a77b3856f55378e9518d0da99452d51c553a",
            HashValue.Sha384(VmsaPage.RealMode(VmsaPage.ResetVector, 1, 0x800f12, VmmType.Qemu, KernelGeneration.Init2)).ToString());
        Assert.Equal(
            "8413b852790765a310d95867a8b00bfca3a802b5a80830044b45e253fe96222657e11e53fcf63eb0e0afd722385bf7b4",
            HashValue.Sha384(VmsaPage.RealMode(0x80b004, 1, 0x800f12, VmmType.Qemu, KernelGeneration.Init2)).ToString());
        Assert.Equal(
            "9b8d003b7deacde5e1e4e53ffdeaeefcfeec67cdf0f7362fafe984996f03b59d",
            HashValue.Sha256(KernelHashes.Of([], [], "console=ttyS0 loglevel=7").WriteTable()).ToString());
    }

    [Fact]
    public void LaunchDigest_OfTheReportThatHardwareSigned_IsReproduced()
    {
        const string CommandLine =
            "console=ttyS0 init=/init panic=1 net.ifnames=0 biosdevname=0 mce=off oops=panic pci=noearly pci=nommconf random.trust_cpu=y "
            + "random.trust_bootloader=n tsc=reliable no-kvmclock dstack.rootfs_hash=ca5adaef0ac3a36108035925763b48a5818f634e700fbaab561d419fd30d7121 "
            + "dstack.rootfs_size=490713088";
        var hashes = KernelHashes.Of([], [], CommandLine) with
        {
            Kernel = HashValue.Parse("dd9ea274ce9a07090b22e8284b0c841b65c021c2d15ca57d0f16731089dd226c"),
            Initrd = HashValue.Parse("5f844c4a2ca5a3d0711b3db38293b21ba929bb8e0b3c5bc1a779a57f69221c19"),
        };
        ImmutableArray<SevSection> sections =
        [
            new(8388608, 36864, SevSectionType.SecMemory), new(8429568, 12288, SevSectionType.SecMemory), new(8441856, 4096, SevSectionType.Secrets),
            new(8445952, 4096, SevSectionType.Cpuid), new(8450048, 4096, SevSectionType.SvsmCallingArea), new(8458240, 61440, SevSectionType.SecMemory),
            new(8454144, 4096, SevSectionType.KernelHashes),
        ];
        var inputs = new SnpLaunchInputs
        {
            Precomputed = new(
                HashValue.Parse("ffb57e393469a497c0e3b07bd1c97d8611e555f464d14491837665893ac642b263a71f9507ff100a847897fe0c3f8c6f"), sections, 8457216, 8433668),
            VirtualCpus = 2,
            CpuSignature = CpuSignature.Find("EPYC-v4")!.Value,
            Kernel = hashes,
        };
        Assert.Contains(
            "7f51e17f72a04d5422cb2c00998166536019a217376f3aa45a630e59c805a599847ff250dbffcd07e1ba639771d6f05d",
            new[] { KernelGeneration.Init2, KernelGeneration.BeforeInit2 }.Select(g => SnpLaunchMeasurement.Of(inputs with { Generation = g }).LaunchDigest.ToString()));
    }

    [Fact]
    public void Update_OnePageFromNothing_IsThePublishedUnitVector()
    {
        var digest = new SnpLaunchDigest();
        digest.Update(SnpPageType.Normal, 0x1000, HashValue.Sha384("page"u8).Span);
        Assert.Equal("3ebc1a70acc0bae5ae2788fae29a0371f983b19a68faf9843064f36040f58571ce5bb6bcdc9c361087073f8cffd92635", digest.Value.ToString());
    }

    [Fact]
    public void Vectors_OfTheCorpus_AllComeOut()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Evidence.PathOf("launch/snp/vectors.json")));
        var count = 0;
        foreach (var vector in document.RootElement.GetProperty("vectors").EnumerateArray())
        {
            var name = vector.GetProperty("name").GetString()!;
            var expected = vector.GetProperty("expected_launch_digest").GetString();
            if (expected is null)
                Assert.Equal("kernel", Assert.Throws<OperationFailedException>(() => Measure(vector)).Subject);
            else
                Assert.Equal((name, expected), (name, Measure(vector)));
            count++;
        }

        Assert.Equal(18, count);
    }

    // Debian sid, package ovmf-amdsev 2026.08+ds-2; the digest is that of a second implementation, written apart in Python.
    [Fact]
    public void LaunchDigest_OfDebiansOvmfForSev_AgreesWithTheSecondImplementation()
    {
        var firmware = DebianFirmware.Read("OVMF.amdsev.fd", "3e4fd0b3fe3b2dbe481c3d9e99418a034174f26cbe1f55aa212b0f18c12d2d6f");
        var measurement = SnpLaunchMeasurement.Of(new SnpLaunchInputs
        {
            Firmware = OvmfImage.Parse(firmware),
            Kernel = KernelHashes.Of("kernel"u8, "initrd"u8, "quiet"),
            VirtualCpus = 2,
            CpuSignature = CpuSignature.Find("EPYC-Milan")!.Value,
        });
        Assert.Equal("df7e1450a99c01adb94a6e6b409393738cf36181c9fabc178f875ad2dfb70d35f885ed3b52b9182f4d412800d79130e8", measurement.LaunchDigest.ToString());
    }

    [Fact]
    public void EmptyInitrd_HashesNothing() => Assert.Equal(EmptySha256, KernelHashes.Of([], [], "").Initrd.ToString());

    private static string Measure(JsonElement vector)
    {
        string? Text(string name) => vector.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString() : null;
        var firmware = OvmfImage.Parse(Evidence.Read("launch/snp/" + Text("ovmf")));
        var signature = Text("vcpu") is { } model ? CpuSignature.Find(model)!.Value : 0;
        var cpus = vector.GetProperty("vcpus").GetInt32();
        var kernel = Text("kernel") is null ? null : KernelHashes.Of([], [], Text("append") ?? "");
        var mode = Text("mode");
        if (mode is "SEV" or "SEV_ES")
        {
            return SevLaunchMeasurement.Of(new SevLaunchInputs
            {
                Firmware = firmware,
                Kernel = kernel,
                EncryptedStateCpus = mode == "SEV" ? 0 : cpus,
                CpuSignature = signature,
            }).LaunchDigest.ToString();
        }

        var svsm = Text("svsm") is { } file
            ? new SvsmInputs(OvmfImage.Parse(Evidence.Read("launch/snp/" + file)), vector.GetProperty("ovmf_vars_size").GetUInt32())
            : null;
        var precomputed = Text("snp_ovmf_hash") is { } hash ? SnpFirmwareDescription.Of(firmware) with { Digest = HashValue.Parse(hash) } : null;
        return SnpLaunchMeasurement.Of(new SnpLaunchInputs
        {
            Firmware = firmware,
            Precomputed = precomputed,
            Kernel = kernel,
            VirtualCpus = cpus,
            CpuSignature = signature,
            Features = vector.GetProperty("guest_features").GetUInt64(),
            Vmm = Enum.Parse<VmmType>(Text("vmm_type") ?? "QEMU", ignoreCase: true),
            Svsm = svsm,
        }).LaunchDigest.ToString();
    }
}
