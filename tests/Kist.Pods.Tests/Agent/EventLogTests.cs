using System.Security.Cryptography;
using System.Text;
using Kist.Agent.Tee;
using Kist.Formats;
using Kist.Testing;

namespace Kist.Pods.Tests.Agent;

public class EventLogTests
{
    [Theory]
    [InlineData("tdx/ccel-samples/CCEL_data_grub.bin")]
    [InlineData("tdx/ccel-samples/CCEL_data_grub_gke.bin")]
    [InlineData("tdx/ccel-samples/CCEL_data_ovmf.bin")]
    [InlineData("tdx/ccel-samples/unpadded.bin")]
    [InlineData("tdx/dstack-ccel/ccel.bin")]
    public void Used_RealArea_EndsAtItsLastEvent(string item)
    {
        var area = Evidence.Read(item);

        var used = FirmwareEventLog.Used(area).ToArray();

        Assert.InRange(used.Length, 100, area.Length);
        Assert.True(!area.AsSpan(used.Length).ContainsAnyExcept((byte)0xff, (byte)0));
        Assert.Equal(used, FirmwareEventLog.Used([.. used, .. Enumerable.Repeat((byte)0xff, 100)]).ToArray());
        Assert.Equal(used, FirmwareEventLog.Used([.. used, .. new byte[100]]).ToArray());
        for (var length = used.Length - 1; length > used.Length - 200; length--)
        {
            var cut = area.AsSpan(0, length).ToArray();
            try
            {
                Assert.InRange(FirmwareEventLog.Used(cut).Length, 0, length);
            }
            catch (MalformedDataException)
            {
                // An event that ends too early.
            }
        }
    }

    [Fact]
    public void Describe_Event_IsTaggedAndHashedWhole()
    {
        var (tagged, digest) = RuntimeEventLog.Describe("github.com/confidential-containers", "PullImage", "{\"image\":\"a\"}");

        Assert.Equal([0x4c, 0x45, 0x41, 0x41], tagged[..4]);
        Assert.Equal("github.com/confidential-containers PullImage {\"image\":\"a\"}", Encoding.UTF8.GetString(tagged[8..]));
        Assert.Equal(SHA384.HashData(tagged), digest);
    }

    [Fact]
    public void Append_Event_FollowsTheFirmwaresLog()
    {
        var log = new RuntimeEventLog();
        var (tagged, digest) = RuntimeEventLog.Describe("d", "o", "c");
        log.Add(tagged, digest);

        byte[] expected = [9, 9, 4, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0x0c, 0, .. digest, (byte)tagged.Length, 0, 0, 0, .. tagged];
        Assert.Equal(expected, log.Append([9, 9]));
    }

    [Theory]
    [InlineData("a b", "o", "c")]
    [InlineData("d", "o\n", "c")]
    [InlineData("d", "o", "c\n")]
    public void Describe_TextThatWouldReadAsAnother_IsRefused(string domain, string operation, string content) =>
        Assert.Throws<ArgumentException>(() => RuntimeEventLog.Describe(domain, operation, content));
}
