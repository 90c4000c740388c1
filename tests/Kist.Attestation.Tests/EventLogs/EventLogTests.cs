using System.Text;
using System.Text.Json;
using CsCheck;
using Kist.Attestation.EventLogs;
using Kist.Formats;

namespace Kist.Attestation.Tests.EventLogs;

public sealed class EventLogTests
{
    [Theory]
    [InlineData("tdx/ccel-samples/CCEL_data_grub.bin", "tdx/ccel-samples/CCEL_data_grub_expected.json")]
    [InlineData("tdx/ccel-samples/CCEL_data_ovmf.bin", "tdx/ccel-samples/CCEL_data_ovmf_expected.json")]
    [InlineData("tdx/ccel-samples/CCEL_data_grub_gke.bin", "tdx/ccel-samples/CCEL_data_grub_gke_expected.json")]
    [InlineData("tdx/spr-debug-trustee/ccel.bin", "tdx/ccel-samples/CCEL_data_expected.json")]
    public void Write_CapturedLog_IsWhatTrusteeShows(string log, string expected)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
            EventLogJson.Write(writer, EventLog.Parse(Testing.Evidence.Read(log)));
        using var ours = JsonDocument.Parse(stream.ToArray());
        using var theirs = JsonDocument.Parse(Testing.Evidence.Read(expected));
        var events = theirs.RootElement.ValueKind == JsonValueKind.Array ? theirs.RootElement : theirs.RootElement.GetProperty("uefi_event_logs");
        Assert.Equal(events.GetArrayLength(), ours.RootElement.GetArrayLength());
        foreach (var (mine, wanted) in ours.RootElement.EnumerateArray().Zip(events.EnumerateArray()))
            Assert.True(JsonElement.DeepEquals(wanted, mine), $"{wanted}\n{mine}");
    }

    [Theory]
    [InlineData("tdx/ccel-samples/CCEL_data_grub.bin", 1, "cec0a104f691f60da2387fea3c2de00c4ac035e2bb479ff02edcce69039d9e9907f0b3e55031da3dc7038f423adebd79")]
    [InlineData("tdx/ccel-samples/unpadded.bin", 2, "6484f0d72c03521c0434553be34e8db8228b729e799666d2b7754085c77aa9981f5a440df3047194b24f212ff1160c1e")]
    [InlineData("tdx/spr-debug-trustee/ccel.bin", 2, "0fa3be56af61208bbd179dc7b124988eb929319154663c539d6f46445ecac2fec287075047ff7bd1922829fec28cd3cf")]
    [InlineData("tdx/gce-cos113/ccel.bin", 3, "4969684dc87381fc3b3134176c8d8806eaf0a901859f5f70cfae8d17714b46c10a8de219048c9fc09f11f381a6fbe7c1")]
    [InlineData("tdx/gce-cos113/ccel.bin", 4, "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000")]
    public void Replay_CapturedLog_GivesTheRegister(string log, int index, string expected) =>
        Assert.Equal(expected, Convert.ToHexStringLower(EventLog.Parse(Testing.Evidence.Read(log)).Replay(EventLogHash.Sha384, index)));

    [Fact]
    public void RepeatedSeparators_FirmwareError_IsFound()
    {
        Assert.NotEmpty(EventLog.Parse(Testing.Evidence.Read("tdx/gce-cos113/ccel-dupe-separator.bin")).RepeatedSeparators());
    }

    [Fact]
    public void Parse_CutAnywhere_ThrowsNothingElseAndFindsNoMoreEvents()
    {
        var log = Testing.Evidence.Read("tdx/ccel-samples/unpadded.bin");
        var all = EventLog.Parse(log).Entries.Length;
        for (var i = 0; i < log.Length; i++)
        {
            try
            {
                Assert.True(EventLog.Parse(log.AsMemory(0, i)).Entries.Length < all);
            }
            catch (MalformedDataException)
            {
                // The usual case: the cut is inside an event.
            }
        }
    }

    [Fact]
    public void Parse_RandomChanges_ThrowNothingElse()
    {
        var log = Testing.Evidence.Read("tdx/ccel-samples/CCEL_data_grub.bin").AsSpan(0, 15200).ToArray();
        Gen.Select(Gen.Int[0, log.Length - 1], Gen.Byte).Sample(
            (at, value) =>
            {
                var changed = log.ToArray();
                changed[at] = value;
                try
                {
                    using var writer = new Utf8JsonWriter(Stream.Null);
                    EventLogJson.Write(writer, EventLog.Parse(changed));
                }
                catch (MalformedDataException)
                {
                    // The one exception that may come out.
                }
            },
            iter: 1000);
    }

    /// <summary>Informative events, other registers' events and other banks' digests can be added by anyone, and are left out.</summary>
    [Fact]
    public void CoveredBy_EventsThatNothingVouchesFor_AreLeftOut()
    {
        var digest = new EventDigest(EventLogHash.Sha384, new byte[48]);
        var other = new EventDigest(EventLogHash.Sha256, new byte[32]);
        var log = new EventLog(
            [
                new EventLogEntry(0, 1, EventTypes.Ipl, [digest, other], default),
                new EventLogEntry(0, 1, EventTypes.NoAction, [digest], default),
                new EventLogEntry(0, 1, EventTypes.Ipl, [other], default),
                new EventLogEntry(0, 7, EventTypes.Ipl, [digest], default),
            ],
            [EventLogHash.Sha256, EventLogHash.Sha384], 0, 0);
        var entry = Assert.Single(log.CoveredBy(EventLogHash.Sha384, 1, 4).Entries);
        Assert.Equal([digest], entry.Digests);
    }

    /// <summary>Eight MiB of empty events: read in time proportional to its size, up to the limit on events.</summary>
    [Fact]
    public void Parse_ZerosBeforeALastByte_IsRefusedByTheLimitOnEvents()
    {
        var log = new byte[EvidenceLimits.EventLog];
        Testing.Evidence.Read("tdx/ccel-samples/unpadded.bin").AsSpan(0, 65).CopyTo(log);
        log[^1] = 1;
        Assert.Contains("events", Assert.Throws<MalformedDataException>(() => EventLog.Parse(log)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x4141454Cu, "github.com/confidential-containers PullImage {\"image\":\"alpine\",\"digest\":\"sha256:00\"}", "{\"image\":\"alpine\",\"digest\":\"sha256:00\"}")]
    [InlineData(0x4141454Cu, "domain operation content with spaces", "\"content with spaces\"")]
    [InlineData(0x4141454Cu, "domain operation", null)]
    [InlineData(0x8F3B22EDu, "three words only", null)]
    public void Read_AgentEvent_HasDomainOperationAndContent(uint tag, string text, string? content)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        byte[] data = [.. BitConverter.GetBytes(tag), .. BitConverter.GetBytes(bytes.Length), .. bytes];
        var details = EventDetails.Read(new EventLogEntry(0, 4, EventTypes.EventTag, [], data));
        using var stream = new MemoryStream();
        using (var writer = new System.Text.Json.Utf8JsonWriter(stream))
            details.Write(writer);
        using var json = System.Text.Json.JsonDocument.Parse(stream.ToArray());

        Assert.Equal(text, json.RootElement.GetProperty("string").GetString());
        Assert.Equal(content is not null, json.RootElement.TryGetProperty("data", out var entry));
        if (content is not null)
            Assert.Equal(content, entry.GetProperty("content").GetRawText());
    }
}
