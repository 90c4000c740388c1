using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Measurement.Tpm;
using Kist.Measurement.Uefi;
using Kist.Testing;

namespace Kist.Measurement.Tests.Tpm;

public sealed class TpmBootMeasurementTests
{
    private static readonly HashValue Ones = new(Enumerable.Repeat((byte)1, 32).ToArray());

    // edgelesssys/constellation image/measured-boot/measure: the stages' digests are given instead of images.
    [Fact]
    public void Pcr4_OfTheConstellationVector_ComesOut()
    {
        var events = TpmBootMeasurement.Of(new UefiBootInputs(), HashAlgorithmName.SHA256).Events.Where(e => e.Register == 4).ToList();
        Assert.Equal("3d6772b4f84ed47595d72a2c4c5ffd15f5bb72c7507fe26f2aaee2c69d5633ba", events[0].Digest.ToString());
        Assert.Equal("df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119", events[1].Digest.ToString());
        events.Add(events[0] with { Digest = HashValue.Zero(32) });
        events.Add(events[0] with { Digest = Ones });
        Assert.Equal("22116dee861aa6b44242ac469eab24cead344d52c77131f54ac1cac9d6a2408e", TpmBootMeasurement.Replay(events, HashAlgorithmName.SHA256)[4].ToString());
    }

    [Fact]
    public void Pcr9_OfTheConstellationVector_ComesOut()
    {
        var measured = TpmBootMeasurement.Of(new UefiBootInputs { StubCommandLine = "console=tty0", StubInitrd = new byte[] { 1 } }, HashAlgorithmName.SHA256)
            .Events.Where(e => e.Register == 9).ToList();
        measured[1] = measured[1] with { Digest = HashValue.Zero(32) };
        Assert.Equal("eb4f7bca865807d3163b95174d6e66cfc74acf8b930a553e95ec94662cb6facd", TpmBootMeasurement.Replay(measured, HashAlgorithmName.SHA256)[9].ToString());
    }

    [Fact]
    public void Pcr11_OfTheConstellationVector_ComesOut()
    {
        var uki = UnifiedKernelImage.Parse(SyntheticUki.Build((".initrd", [1]), (".linux", [2])));
        var measured = TpmBootMeasurement.Of(new UefiBootInputs { UnifiedKernel = uki, StubLoadsKernelImage = false }, HashAlgorithmName.SHA256)
            .Events.Where(e => e.Register == 11).ToList();
        measured[1] = measured[1] with { Digest = HashValue.Zero(32) };
        measured[3] = measured[3] with { Digest = Ones };
        Assert.Equal("9dfe399fcd4432639f0e20f49df823aa66b095f0664f0a4b9fbdc11ea64683e2", TpmBootMeasurement.Replay(measured, HashAlgorithmName.SHA256)[11].ToString());
    }

    [Fact]
    public void InMemory_SectionThatIsFarLargerInMemory_IsMalformed()
    {
        var bytes = SyntheticUki.Build((".linux", [2]));
        var uki = UnifiedKernelImage.Parse(bytes);
        var linux = uki.MeasuredSections.Single() with { VirtualSize = 0x7000_0000 };
        Assert.Throws<Kist.Formats.MalformedDataException>(() => uki.InMemory(linux));
    }

    [Fact]
    public void Of_UnifiedKernel_MeasuresSectionsInTheStubsOrderAndNeverThePcrSignature()
    {
        var kernel = new SyntheticKernel().Build();
        var uki = UnifiedKernelImage.Parse(SyntheticUki.Build((".pcrsig", [9]), (".initrd", [3, 3]), (".cmdline", "quiet\n"u8.ToArray()), (".osrel", [1]), (".linux", kernel)));
        Assert.Equal([".linux", ".osrel", ".cmdline", ".initrd"], uki.MeasuredSections.Select(s => s.Name));
        Assert.Equal("quiet", uki.CommandLine);
        Assert.Equal(kernel, uki.Linux.ToArray());

        var inputs = new UefiBootInputs { UnifiedKernel = uki, ExternalCommandLine = "debug", Phases = ["enter-initrd"], MachineWords = ["machine-id:0"] };
        var measurement = TpmBootMeasurement.Of(inputs, HashAlgorithmName.SHA256);
        Assert.Equal(9, measurement.Events.Count(e => e.Register == 11));
        Assert.Equal(4, measurement.Events.Count(e => e.Register == 4));
        Assert.Equal(HashValue.Sha256(Encoding.Unicode.GetBytes("debug\0")), measurement.Events.Single(e => e.Register == 12).Digest);
        Assert.Equal(HashValue.Zero(32).Extend(HashValue.Sha256("machine-id:0"u8)), measurement.Registers[15]);
        Assert.Equal(HashValue.Zero(32), measurement.Registers[14]);
        Assert.DoesNotContain(0, measurement.Registers.Keys);
        Assert.Contains(measurement.NotCovered, n => n.Register == "pcr0");
    }

    [Fact]
    public void Of_ShimAndGrub_MeasuresEachIntoItsRegister()
    {
        var shim = new SyntheticKernel { BodySize = 0x800 }.Build();
        var inputs = new UefiBootInputs
        {
            Applications = [new("shim", shim), new("grub", new SyntheticKernel { BodySize = 0x1000 }.Build())],
            MokLists = [new byte[] { 1 }, new byte[] { 2 }, new byte[] { 1 }],
            GrubCommands = ["set timeout=0"],
            GrubFiles = [new("/boot/grub/grub.cfg", new byte[] { 5 })],
            GrubKernelCommandLines = ["/vmlinuz quiet"],
        };
        var measurement = TpmBootMeasurement.Of(inputs, HashAlgorithmName.SHA256);
        Assert.Equal(PeImage.Parse(shim).AuthenticodeDigest(HashAlgorithmName.SHA256), measurement.Events.Where(e => e.Register == 4).ElementAt(2).Digest);
        Assert.Equal(3, measurement.Events.Count(e => e.Register == 14));
        Assert.Equal(2, measurement.Events.Count(e => e.Register == 8));
        Assert.Equal(HashValue.Sha256([5]), Assert.Single(measurement.Events, e => e.Register == 9).Digest);
    }

    [Fact]
    public void GrubCommands_OfARealLog_HaveItsDigests()
    {
        var log = Evidence.Read("tdx/gce-cos113/ccel.bin").AsSpan();
        var count = 0;
        for (var at = 65; at + 66 < log.Length && BinaryPrimitives.ReadUInt32LittleEndian(log[at..]) is > 0 and < 5;)
        {
            var size = (int)BinaryPrimitives.ReadUInt32LittleEndian(log[(at + 62)..]);
            var text = Encoding.UTF8.GetString(log.Slice(at + 66, size)).TrimEnd('\0');
            if (text.StartsWith("grub_cmd: ", StringComparison.Ordinal))
            {
                var events = UefiBootEvents.Build(new UefiBootInputs { GrubCommands = [text["grub_cmd: ".Length..]] }, HashAlgorithmName.SHA384);
                Assert.Equal(new HashValue(log.Slice(at + 14, 48)), events.Single(e => e.Register == 8).Digest);
                count++;
            }

            at += 66 + size;
        }

        Assert.Equal(14, count);
    }

    [Fact]
    public void UnifiedKernel_WithoutAKernel_IsRefused() =>
        Assert.Throws<MalformedDataException>(() => UnifiedKernelImage.Parse(SyntheticUki.Build((".text", [1]))));

    [Fact]
    public void InMemory_SectionLargerThanItsData_IsFilledWithZeros()
    {
        var bytes = SyntheticUki.Build((".linux", [1, 2, 3]));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(0x58 + 160 + 8), 2000);
        var uki = UnifiedKernelImage.Parse(bytes);
        var memory = uki.InMemory(uki.MeasuredSections.Single());
        Assert.Equal(2000, memory.Length);
        Assert.Equal([1, 2, 3, 0], memory[..4]);
    }
}
