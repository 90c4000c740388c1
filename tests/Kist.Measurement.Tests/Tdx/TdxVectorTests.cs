using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Kist.Measurement.EventLogs;
using Kist.Measurement.Firmware;
using Kist.Measurement.Qemu;
using Kist.Measurement.Tdx;
using Kist.Measurement.Uefi;
using Kist.Testing;

namespace Kist.Measurement.Tests.Tdx;

/// <summary>
/// Published digests of real launches. The constants are those of Dstack's verifier and of its captured quote and event
/// log (Dstack-TEE/dstack@312dc605ebaa, dstack/verifier/fixtures; see tests/vectors/SOURCES.md).
/// </summary>
public sealed class TdxVectorTests
{
    // Sections of Dstack's OVMF, which QEMU 8.2.2 started with 2 GiB.
    private static readonly ImmutableArray<TdvfSection> DstackSections =
    [
        new(0, 0, 0x810000, 0x10000, TdvfSectionType.TemporaryMemory, 0),
        new(0, 0, 0x80b000, 0x2000, TdvfSectionType.TemporaryMemory, 0),
        new(0, 0, 0x809000, 0x2000, TdvfSectionType.TdHob, 0),
        new(0, 0, 0x800000, 0x6000, TdvfSectionType.TemporaryMemory, 0),
    ];

    [Fact]
    public void TdHobList_DstackWith2GiB_HasThePublishedDigest()
    {
        var list = TdHobList.Build(DstackSections, QemuMachine.Q35, 2UL << 30);
        Assert.Equal(440, list.Length);
        Assert.Equal(
            "0b8772e5b0b41b83e6044a68397e02f49fb47066b4fbe4917ea2c45c64f323fdacbb37948f821ebaf8bc9c938ba8a749",
            HashValue.Sha384(list).ToString());
    }

    [Fact]
    public void TdHobList_MemoryAboveTheHole_IsSplitAt4GiB()
    {
        var list = TdHobList.Build(DstackSections, QemuMachine.Q35, 4UL << 30);
        var last = list.AsSpan(list.Length - 48);
        Assert.Equal(1UL << 32, BinaryPrimitives.ReadUInt64LittleEndian(last[32..]));
        Assert.Equal(2UL << 30, BinaryPrimitives.ReadUInt64LittleEndian(last[40..]));
        Assert.Equal(440 + 48, list.Length);
    }

    // google/gce-tcb-verifier ovmf/tdx_data_test.go, TestTdxFwParserParse: the exact bytes.
    [Fact]
    public void GceHobList_OfThePublishedTest_IsItsBytes()
    {
        ImmutableArray<TdvfSection> sections =
        [
            new(0, 0, 0x100000000, 0xe0, TdvfSectionType.TdHob, 0), new(0, 168, 0xffe00000, 168, TdvfSectionType.BootFirmwareVolume, 0),
        ];
        const string Expected =
            "0100380000000000" + "0900000000000000" + "0000000000000000000000000000000000000000000000000000000000000000" + "9800000001000000"
            + "0300300000000000" + "00000000000000000000000000000000" + "0000000007000000" + "0000000001000000" + "e000000000000000"
            + "0300300000000000" + "00000000000000000000000000000000" + "0000000007000000" + "0000e0ff00000000" + "a800000000000000";
        Assert.Equal(Expected, Convert.ToHexStringLower(GceHobList.Build(sections, [(0x100000000, 0xe0), (0xffe00000, 168)], acceptAllEarly: false)));
    }

    // The log of a c3-standard-4 machine with 16 GiB, whose firmware has the sections of a 2 MiB OVMF.
    [Fact]
    public void GceHobList_OfARealMachine_HasTheDigestOfItsLog()
    {
        ImmutableArray<TdvfSection> sections =
        [
            new(0x20000, 0x1e0000, 0xffe20000, 0x1e0000, TdvfSectionType.BootFirmwareVolume, TdvfSectionAttributes.MeasureContent),
            new(0, 0x20000, 0xffe00000, 0x20000, TdvfSectionType.ConfigurationFirmwareVolume, 0), .. DstackSections,
        ];
        var logged = CcelEvents(Evidence.Read("tdx/gce-cos113/ccel.bin").AsSpan(0, 18101).ToArray());
        Assert.Equal(TcgEventType.EfiHandoffTables2, logged[0].EventType);
        Assert.Equal(logged[0].Digest, HashValue.Sha384(GceHobList.Build(sections, 16UL << 30, acceptAllEarly: true)));
    }

    [Theory]
    [InlineData("SecureBoot", false, "9dc3a1f80bcec915391dcda5ffbb15e7419f77eab462bbf72b42166fb70d50325e37b36f93537a863769bcf9bedae6fb")]
    [InlineData("PK", false, "6f2e3cbc14f9def86980f5f66fd85e99d63e69a73014ed8a5633ce56eca5b64b692108c56110e22acadcef58c3250f1b")]
    [InlineData("KEK", false, "d607c0efb41c0d757d69bca0615c3a9ac0b1db06c557d992e906c6b7dee40e0e031640c7bfd7bcd35844ef9edeadc6f9")]
    [InlineData("db", true, "08a74f8963b337acb6c93682f934496373679dd26af1089cb4eaf0c30cf260a12e814856385ab8843e56a9acea19e127")]
    [InlineData("dbx", true, "18cc6e01f0c6ea99aa23f8a280423e94ad81d96d0aeb5180504fc0f7a40cb3619dd39bd6a95ec1680a86ed6ab0f9828d")]
    public void SecureBootVariable_NotSet_HasThePublishedDigest(string name, bool database, string digest)
    {
        var vendor = database ? EfiVariable.ImageSecurityDatabase : EfiVariable.GlobalVariable;
        Assert.Equal(digest, TdxFirmwareEvents.SecureBootVariable(vendor, name, []).Digest.ToString());
    }

    [Fact]
    public void ConstantEvents_HaveThePublishedDigests()
    {
        Assert.Equal(
            "394341b7182cd227c5c6b07ef8000cdfd86136c4292b8e576573ad7ed9ae41019f5818b4b971c9effc60e1ad9f1289f0",
            TdxFirmwareEvents.Separator(0).Digest.ToString());
        Assert.Equal(
            "1dd6f7b457ad880d840d41c961283bab688e94e4b59359ea45686581e90feccea3c624b1226113f824f315eb60ae0a7c",
            TdxFirmwareEvents.BootVariable("BootOrder", [0, 0]).Digest.ToString());
        Assert.Equal(62, EfiLoadOption.OvmfSetup().Length);
        Assert.Equal(
            "23ada07f5261f12f34a0bd8e46760962d6b4d576a416f1fea1c64bc656b1d28eacf7047ae6e967c58fd2a98bfa74c298",
            TdxFirmwareEvents.BootVariable("Boot0000", EfiLoadOption.OvmfSetup()).Digest.ToString());
    }

    [Fact]
    public void ConfigurationVolume_OfDebiansEmptyVariables_HasThePublishedDigest()
    {
        const string Variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";
        Assert.SkipUnless(File.Exists(Variables), $"the package ovmf is not installed: {Variables}");
        Assert.Equal(
            "344bc51c980ba621aaa00da3ed7436f7d6e549197dfe699515dfa2c6583d95e6412af21c097d473155875ffd561d6790",
            HashValue.Sha384(File.ReadAllBytes(Variables)).ToString());
    }

    [Fact]
    public void Replay_DstackEventLog_GivesTheRtmrsOfItsQuote()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Evidence.PathOf("tdx/dstack-lite/getquote.json")));
        var quote = Convert.FromHexString(document.RootElement.GetProperty("quote").GetString()!);
        using var log = JsonDocument.Parse(document.RootElement.GetProperty("event_log").GetString()!);
        var events = log.RootElement.EnumerateArray().Select(DstackEvent).ToList();

        var rtmrs = TdxLaunchMeasurement.Replay(events);

        for (var i = 0; i < 4; i++)
            Assert.Equal(Convert.ToHexStringLower(quote.AsSpan(48 + 328 + 48 * i, 48)), rtmrs[i].ToString());
    }

    [Fact]
    public void Events_OfTheDstackLaunch_AreThoseOfItsLog()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Evidence.PathOf("tdx/dstack-lite/getquote.json")));
        using var log = JsonDocument.Parse(document.RootElement.GetProperty("event_log").GetString()!);
        var expected = log.RootElement.EnumerateArray().Select(DstackEvent).Where(e => e.Register < 3).ToList();

        // The inputs that are files (ACPI blobs, kernel, command line, initrd) are known by their digests only.
        var events = DstackLaunch(
            HashValue.Sha384(TdHobList.Build(DstackSections, QemuMachine.Q35, 2UL << 30)),
            expected.Where(e => e.EventType == TcgEventType.PlatformConfigFlags).Select(e => e.Digest).ToList(),
            expected.Single(e => e.EventType == TcgEventType.EfiBootServicesApplication).Digest, 0);
        events.InsertRange(events.Count - 2, expected.Where(e => e.EventType == TcgEventType.EventTag));

        Assert.Equal(expected.Select(e => (e.Register, e.EventType, e.Digest)), events.Select(e => (e.Register, e.EventType, e.Digest)));
    }

    [Fact]
    public void CcelWriter_EventsOfADstackLaunch_GivesItsCcelByteForByte()
    {
        var ccel = Evidence.Read("tdx/dstack-ccel/ccel.bin").AsSpan(0, 1933).ToArray();
        var logged = CcelEvents(ccel);
        var kernel = logged.Single(e => e.EventType == TcgEventType.EfiBootServicesApplication);
        var events = DstackLaunch(
            logged[0].Digest,
            logged.Where(e => e.EventType == TcgEventType.PlatformConfigFlags).Select(e => e.Digest).ToList(),
            kernel.Digest, BinaryPrimitives.ReadUInt64LittleEndian(kernel.Data.AsSpan()[8..]));

        var written = CcelWriter.Write(events);

        // Where the firmware put the image in memory is not predicted, and is not part of the digest.
        var location = ccel.AsSpan().IndexOf(kernel.Data.AsSpan()[..8]);
        kernel.Data.AsSpan()[..8].CopyTo(written.AsSpan(location));
        Assert.Equal(Convert.ToHexStringLower(ccel), Convert.ToHexStringLower(written));
    }

    [Fact]
    public void LinuxStubEvents_HaveTheLoggedForm()
    {
        var logged = CcelEvents(Evidence.Read("tdx/ccel-samples/CCEL_data_ovmf.bin").AsSpan(0, 2120).ToArray());
        var tags = logged.Where(e => e.EventType == TcgEventType.EventTag).ToList();
        Assert.Equal(tags[0].Data, LinuxStubEvents.CommandLine("x").Data);
        Assert.Equal(tags[1].Data, LinuxStubEvents.Initrd([1]).Data);
        Assert.Equal(
            HashValue.Sha384(Encoding.Unicode.GetBytes("quiet initrd=initrd\0")), LinuxStubEvents.CommandLine("quiet initrd=initrd").Digest);
    }

    private static List<MeasuredEvent> DstackLaunch(HashValue hobDigest, List<HashValue> acpi, HashValue kernel, ulong kernelLength) =>
    [
        TdxFirmwareEvents.HandOffBlocks([], 0x809000) with { Digest = hobDigest },
        new(0, TcgEventType.EfiPlatformFirmwareBlob2,
            HashValue.Parse("344bc51c980ba621aaa00da3ed7436f7d6e549197dfe699515dfa2c6583d95e6412af21c097d473155875ffd561d6790"),
            TdxFirmwareEvents.ConfigurationVolume(
                OvmfImage.Parse(new byte[4]), new TdvfSection(0, 0, 0xffc00000, 0x84000, TdvfSectionType.ConfigurationFirmwareVolume, 0)).Data,
            "firmware", "variables"),
        TdxFirmwareEvents.SecureBootVariable(EfiVariable.GlobalVariable, "SecureBoot", []),
        TdxFirmwareEvents.SecureBootVariable(EfiVariable.GlobalVariable, "PK", []),
        TdxFirmwareEvents.SecureBootVariable(EfiVariable.GlobalVariable, "KEK", []),
        TdxFirmwareEvents.SecureBootVariable(EfiVariable.ImageSecurityDatabase, "db", []),
        TdxFirmwareEvents.SecureBootVariable(EfiVariable.ImageSecurityDatabase, "dbx", []),
        TdxFirmwareEvents.Separator(0),
        TdxFirmwareEvents.AcpiBlob(acpi[0], "etc/table-loader"),
        TdxFirmwareEvents.AcpiBlob(acpi[1], "etc/acpi/rsdp"),
        TdxFirmwareEvents.AcpiBlob(acpi[2], "etc/acpi/tables"),
        TdxFirmwareEvents.Kernel(kernel, (int)kernelLength),
        TdxFirmwareEvents.BootVariable("BootOrder", [0, 0]),
        TdxFirmwareEvents.BootVariable("Boot0000", EfiLoadOption.OvmfSetup()),
        TdxFirmwareEvents.Action("Calling EFI Application from Boot Option"u8),
        TdxFirmwareEvents.Separator(1),
        TdxFirmwareEvents.Action("Exit Boot Services Invocation"u8),
        TdxFirmwareEvents.Action("Exit Boot Services Returned with Success"u8),
    ];

    // Dstack's own runtime events leave the digest out: SHA-384(type, little-endian ‖ ":" ‖ name ‖ ":" ‖ payload).
    private static MeasuredEvent DstackEvent(JsonElement item)
    {
        var type = item.GetProperty("event_type").GetUInt32();
        var digest = item.GetProperty("digest").GetString()!;
        var payload = Convert.FromHexString(item.GetProperty("event_payload").GetString()!);
        var name = Encoding.UTF8.GetBytes(item.GetProperty("event").GetString()!);
        var value = digest.Length > 0
            ? HashValue.Parse(digest)
            : HashValue.Sha384([.. BitConverter.GetBytes(type), (byte)':', .. name, (byte)':', .. payload]);
        return new MeasuredEvent(item.GetProperty("imr").GetInt32(), type, value, [], "", "");
    }

    private static List<MeasuredEvent> CcelEvents(ReadOnlySpan<byte> log)
    {
        var events = new List<MeasuredEvent>();
        for (var at = 65; at < log.Length;)
        {
            var size = (int)BinaryPrimitives.ReadUInt32LittleEndian(log[(at + 62)..]);
            events.Add(new MeasuredEvent(
                (int)BinaryPrimitives.ReadUInt32LittleEndian(log[at..]) - 1, BinaryPrimitives.ReadUInt32LittleEndian(log[(at + 4)..]),
                new HashValue(log.Slice(at + 14, 48)), ImmutableArray.Create(log.Slice(at + 66, size)), "", ""));
            at += 66 + size;
        }

        return events;
    }
}
