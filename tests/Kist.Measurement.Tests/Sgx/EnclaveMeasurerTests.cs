using System.Buffers.Binary;
using System.Security.Cryptography;
using Kist.Measurement.Sgx;
using Kist.Testing;

namespace Kist.Measurement.Tests.Sgx;

public sealed class EnclaveMeasurerTests
{
    [Fact]
    public void Create_SmallestEnclave_HashesExactlyTheEcreateRecord()
    {
        using var measurer = EnclaveMeasurer.Create(0x2000, 1);
        var record = new byte[64];
        "ECREATE\0"u8.CopyTo(record);
        record[8] = 1;
        record[13] = 0x20;
        Assert.Equal(SHA256.HashData(record), measurer.MrEnclave());
    }

    [Fact]
    public void AddMeasuredPage_OnePage_IsEaddThenSixteenEextends()
    {
        var page = new byte[4096];
        page.AsSpan().Fill(0x5a);
        using var whole = EnclaveMeasurer.Create(0x4000, 1);
        whole.AddMeasuredPage(0x1000, 0x205, page);

        using var parts = EnclaveMeasurer.Create(0x4000, 1);
        parts.AddPage(0x1000, 0x205);
        for (var i = 0; i < 16; i++)
            parts.ExtendChunk(0x1000 + (ulong)(i * 256), page.AsSpan(i * 256, 256));

        Assert.Equal(whole.MrEnclave(), parts.MrEnclave());
        using var unmeasured = EnclaveMeasurer.Create(0x4000, 1);
        unmeasured.AddPage(0x1000, 0x205);
        Assert.NotEqual(whole.MrEnclave(), unmeasured.MrEnclave());
    }

    [Theory]
    [InlineData(0x1000)]
    [InlineData(0x3000)]
    [InlineData(0)]
    public void Create_ImpossibleSize_IsRefused(ulong size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => EnclaveMeasurer.Create(size, 1));

    [Theory]
    [InlineData(0x800, 0x205)]
    [InlineData(0x4000, 0x205)]
    [InlineData(0x1000, 0x305)]
    [InlineData(0x1000, 0x215)]
    public void AddPage_OffsetOrFlagsThatFault_AreRefused(ulong offset, ulong flags)
    {
        using var measurer = EnclaveMeasurer.Create(0x4000, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => measurer.AddPage(offset, flags));
    }

    [Fact]
    public void Measure_RealSgxsStream_GivesItsSignedEnclaveHash()
    {
        var stream = Evidence.Read("launch/sgx/test_enclave.sgxs");
        var signature = Evidence.Read("launch/sgx/test_enclave.sig");
        Assert.Equal(signature.AsSpan(960, 32).ToArray(), Replay(stream));
    }

    private static byte[] Replay(ReadOnlySpan<byte> stream)
    {
        var ssaFrameSize = BinaryPrimitives.ReadUInt32LittleEndian(stream[8..]);
        using var measurer = EnclaveMeasurer.Create(BinaryPrimitives.ReadUInt64LittleEndian(stream[12..]), ssaFrameSize);
        for (var at = 64; at < stream.Length; at += 64)
        {
            var record = stream.Slice(at, 64);
            var offset = BinaryPrimitives.ReadUInt64LittleEndian(record[8..]);
            if (record.StartsWith("EADD\0"u8))
            {
                measurer.AddPage(offset, BinaryPrimitives.ReadUInt64LittleEndian(record[16..]));
            }
            else
            {
                Assert.True(record.StartsWith("EEXTEND\0"u8));
                measurer.ExtendChunk(offset, stream.Slice(at + 64, 256));
                at += 256;
            }
        }

        return measurer.MrEnclave();
    }
}
