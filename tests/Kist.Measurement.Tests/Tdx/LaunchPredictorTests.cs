using Kist.Formats;
using Kist.Measurement.EventLogs;
using Kist.Measurement.Tdx;
using Kist.Measurement.Uefi;
using Kist.Testing;

namespace Kist.Measurement.Tests.Tdx;

public sealed class LaunchPredictorTests
{
    private static readonly AcpiDigests Acpi = AcpiDigests.Of("loader"u8, "rsdp"u8, "tables"u8);

    private static LaunchInputs Inputs() => new()
    {
        Firmware = SyntheticOvmf.WithTdx().Build(),
        Kernel = new SyntheticKernel().Build(),
        Initrd = "initrd"u8.ToArray(),
        CommandLine = "console=ttyS0 quiet",
        MemoryBytes = 512 << 20,
        Acpi = Acpi,
    };

    [Fact]
    public void Predict_SameInputs_GivesTheSameBytes()
    {
        var first = LaunchPredictor.Predict(Inputs());
        var second = LaunchPredictor.Predict(Inputs());
        Assert.Equal(first.ToReferenceValues().ToJson(), second.ToReferenceValues().ToJson());
        Assert.Equal(first.WriteEventLog(), second.WriteEventLog());
        Assert.Empty(first.NotCovered);
        Assert.Equal(HashValue.Zero(48), first.Rtmrs[3]);
    }

    public static TheoryData<string, string> Changes => new()
    {
        { "firmware code", "mrtd" },
        { "firmware variables", "rtmr0" },
        { "memory", "rtmr0 rtmr1" },
        { "acpi", "rtmr0" },
        { "kernel", "rtmr1" },
        { "initrd, same length", "rtmr2" },
        { "initrd, other length", "rtmr1 rtmr2" },
        { "command line", "rtmr2" },
        { "config id", "mrconfigid" },
        { "debug", "" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Predict_OneInputChanged_MovesExactlyItsRegisters(string change, string registers)
    {
        var inputs = Inputs();
        var changed = change switch
        {
            "firmware code" => inputs with { Firmware = Flip(inputs.Firmware, 0x5000) },
            "firmware variables" => inputs with { Firmware = Flip(inputs.Firmware, 0x10) },
            "memory" => inputs with { MemoryBytes = 768 << 20 },
            "acpi" => inputs with { Acpi = Acpi with { Rsdp = HashValue.Sha384("other"u8) } },
            "kernel" => inputs with { Kernel = Flip(inputs.Kernel, 0x1800) },
            "initrd, same length" => inputs with { Initrd = "Initrd"u8.ToArray() },
            "initrd, other length" => inputs with { Initrd = new byte[5000] },
            "command line" => inputs with { CommandLine = "console=ttyS0" },
            "config id" => inputs with { MrConfigId = Enumerable.Repeat((byte)7, 48).ToArray() },
            _ => inputs with { Debug = true },
        };
        Assert.Equal(registers, string.Join(' ', Moved(LaunchPredictor.Predict(inputs), LaunchPredictor.Predict(changed))));
    }

    [Fact]
    public void Predict_EventLog_ReplaysToTheRegisters()
    {
        var measurement = LaunchPredictor.Predict(Inputs());
        Assert.Equal(measurement.Rtmrs, TdxLaunchMeasurement.Replay(measurement.Events));
        Assert.Equal(20, measurement.Events.Length);
        Assert.True(measurement.WriteEventLog().Length > 1900);
    }

    [Fact]
    public void Predict_WithoutAcpi_SaysThatRtmr0IsNotCovered()
    {
        var measurement = LaunchPredictor.Predict(Inputs() with { Acpi = null });
        Assert.Equal("rtmr0", Assert.Single(measurement.NotCovered).Register);
        Assert.DoesNotContain(measurement.Events, e => e.EventType == TcgEventType.PlatformConfigFlags);
    }

    [Fact]
    public void Predict_KernelWithoutCcMeasurement_MeasuresNothingIntoRtmr2AndSaysSo()
    {
        var inputs = Inputs() with { Kernel = new SyntheticKernel { Release = "6.1.0-56-cloud-amd64" }.Build() };
        var hardware = LaunchPredictor.Predict(inputs);
        Assert.Equal(HashValue.Zero(48), hardware.Rtmrs[2]);
        Assert.Equal("rtmr2", Assert.Single(hardware.NotCovered).Register);

        var simulated = LaunchPredictor.Predict(inputs with { Profile = TdxLaunchProfile.Simulated });
        Assert.NotEqual(HashValue.Zero(48), simulated.Rtmrs[2]);
        Assert.Equal("rtmr2", Assert.Single(simulated.NotCovered).Register);
    }

    [Fact]
    public void Predict_KernelThatNamesNoRelease_AsksForAProfile()
    {
        var inputs = Inputs() with { Kernel = new SyntheticKernel { Release = "unknown" }.Build() };
        Assert.Equal("kernel", Assert.Throws<OperationFailedException>(() => LaunchPredictor.Predict(inputs)).Subject);
    }

    [Fact]
    public void Predict_Profiles_DifferWhereTheySay()
    {
        var standard = LaunchPredictor.Predict(Inputs());
        string MovedBy(TdxLaunchProfile profile) =>
            string.Join(' ', Moved(standard, LaunchPredictor.Predict(Inputs() with { Profile = profile })));
        Assert.Equal("mrtd", MovedBy(TdxLaunchProfile.Qemu8));
        Assert.Equal("rtmr0 rtmr1", MovedBy(TdxLaunchProfile.SeparatorInRtmr0));
        Assert.Equal("rtmr0 rtmr1", MovedBy(TdxLaunchProfile.Kata));
        Assert.Equal("rtmr1", MovedBy(TdxLaunchProfile.UnmodifiedKernel));
        Assert.Equal("rtmr0", MovedBy(TdxLaunchProfile.Stable202505));
        Assert.Equal("", MovedBy(TdxLaunchProfile.Simulated));
        Assert.Same(TdxLaunchProfile.Kata, TdxLaunchProfile.Find("kata"));
        Assert.Null(TdxLaunchProfile.Find("none"));
    }

    [Fact]
    public void Predict_GceProfiles_DifferInWhatIsMeasuredOfMemory()
    {
        var inputs = Inputs() with { MemoryBytes = 16UL << 30 };
        TdxLaunchMeasurement Of(TdxLaunchProfile profile, ulong memory = 16UL << 30) =>
            LaunchPredictor.Predict(inputs with { Profile = profile, MemoryBytes = memory });
        Assert.Equal("mrtd rtmr0", string.Join(' ', Moved(Of(TdxLaunchProfile.Gce), Of(TdxLaunchProfile.GceLazyAccept))));
        Assert.Equal("mrtd", string.Join(' ', Moved(Of(TdxLaunchProfile.GceLazyAccept), Of(TdxLaunchProfile.GceByMetadata))));
        Assert.Equal("mrtd rtmr0", string.Join(' ', Moved(Of(TdxLaunchProfile.Gce), Of(TdxLaunchProfile.Gce, 32UL << 30))));
        Assert.Equal("rtmr0", string.Join(' ', Moved(Of(TdxLaunchProfile.GceByMetadata), Of(TdxLaunchProfile.GceByMetadata, 32UL << 30))));
        Assert.Throws<OperationFailedException>(() => Of(TdxLaunchProfile.Gce, 2UL << 30));
    }

    [Fact]
    public void Predict_DebiansOvmf_SaysThatItMeasuresNothingOnHardware()
    {
        const string Ovmf = "/usr/share/ovmf/OVMF.fd";
        Assert.SkipUnless(File.Exists(Ovmf), $"the package ovmf is not installed: {Ovmf}");
        var firmware = File.ReadAllBytes(Ovmf);
        Assert.SkipUnless(HashValue.Sha256(firmware).ToString() == "7b456907dd0786d415999e801a1ac4637b8ed4d7cf5378cfc6edbe5e574dd773", "another version of the package ovmf is installed");
        Assert.Contains(LaunchPredictor.Predict(Inputs() with { Firmware = firmware }).NotCovered, n => n.Register == "rtmr1");
        Assert.Contains(LaunchPredictor.Predict(Inputs() with { Firmware = firmware, Profile = TdxLaunchProfile.Simulated }).NotCovered, n => n.Register == "hardware");
    }

    [Fact]
    public void Predict_EmptyInitrd_IsAsNone()
    {
        var empty = LaunchPredictor.Predict(Inputs() with { Initrd = ReadOnlyMemory<byte>.Empty });
        Assert.DoesNotContain(empty.Events, e => e.Input == "initrd");
    }

    [Theory]
    [InlineData("console=\u00e9")]
    [InlineData("a\0b")]
    public void Predict_CommandLineBeyondAscii_IsRefused(string commandLine) =>
        Assert.Throws<OperationFailedException>(() => LaunchPredictor.Predict(Inputs() with { CommandLine = commandLine }));

    [Fact]
    public void Predict_TooLittleMemory_IsRefused() =>
        Assert.Equal("memory", Assert.Throws<OperationFailedException>(() => LaunchPredictor.Predict(Inputs() with { MemoryBytes = 4 << 20 })).Subject);

    [Fact]
    public void ReferenceValues_Json_RoundTripsAndRefusesOtherDocuments()
    {
        var values = LaunchPredictor.Predict(Inputs() with { Acpi = null }).ToReferenceValues();
        var json = values.ToJson();
        var read = TdxReferenceValues.FromJson(json);
        Assert.Equal(json, read.ToJson());
        Assert.Equal(values.Rtmr2, read.Rtmr2);

        foreach (var bad in new[] { "", "[]", "{}", "{\"tee\":\"snp\"}", "{\"tee\":\"tdx\",\"mr_td\":\"00\"}", "{\"tee\":\"tdx\",\"mr_td\":7}", "{\"tee\":1}" })
            Assert.Throws<MalformedDataException>(() => TdxReferenceValues.FromJson(System.Text.Encoding.UTF8.GetBytes(bad)));
    }

    [Fact]
    public void Predict_BootFromADisk_PutsThePcrsEventsIntoTheirRegisters()
    {
        var boot = new UefiBootInputs
        {
            Applications = [new("shim", new SyntheticKernel { BodySize = 0x800 }.Build()), new("grub", new SyntheticKernel().Build())],
            MokLists = [new byte[] { 1 }],
            GrubCommands = ["boot"],
            PartitionTable = new byte[] { 1, 2 },
            StubCommandLine = "quiet",
        };
        var measurement = LaunchPredictor.Predict(Inputs() with { Kernel = ReadOnlyMemory<byte>.Empty, Boot = boot });
        Assert.Equal(
            [
                "Calling EFI Application from Boot Option", "separator", "partition table of the disk", "shim (Authenticode)", "grub (Authenticode)",
                "Exit Boot Services Invocation", "Exit Boot Services Returned with Success",
            ],
            measurement.Events.Where(e => e.Register == 1).Select(e => e.Description));
        Assert.Equal(["MokList", "grub_cmd: boot", "load options of the kernel, UTF-16LE with NUL"], measurement.Events.Where(e => e.Register == 2).Select(e => e.Description));
        Assert.Equal(13, measurement.Events.Count(e => e.Register == 0));
    }

    [Fact]
    public void Predict_FirmwareWithEnrolledKeys_MeasuresThem()
    {
        const string Variables = "/usr/share/OVMF/OVMF_VARS_4M.ms.fd";
        Assert.SkipUnless(File.Exists(Variables), $"the package ovmf is not installed: {Variables}");
        var variables = File.ReadAllBytes(Variables);
        var firmware = SyntheticOvmf.WithTdx(size: 0xa4000, variables: variables.Length).Build();
        variables.CopyTo(firmware, 0);
        var measurement = LaunchPredictor.Predict(Inputs() with { Firmware = firmware });
        Assert.Contains(measurement.Events, e => e.Description == "variable SecureBoot, 1 bytes");
        Assert.DoesNotContain(measurement.Events, e => e.Description == "variable PK, 0 bytes");
    }

    private static IEnumerable<string> Moved(TdxLaunchMeasurement a, TdxLaunchMeasurement b)
    {
        if (a.MrTd != b.MrTd)
            yield return "mrtd";
        for (var i = 0; i < 4; i++)
        {
            if (a.Rtmrs[i] != b.Rtmrs[i])
                yield return $"rtmr{i}";
        }

        if (a.MrConfigId != b.MrConfigId)
            yield return "mrconfigid";
    }

    private static byte[] Flip(ReadOnlyMemory<byte> bytes, int at)
    {
        var copy = bytes.ToArray();
        copy[at] ^= 1;
        return copy;
    }
}
