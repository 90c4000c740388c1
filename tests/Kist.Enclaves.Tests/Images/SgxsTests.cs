using System.Security.Cryptography;
using CsCheck;
using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;
using Kist.Formats;
using Kist.Testing;

namespace Kist.Enclaves.Tests.Images;

public sealed class SgxsTests
{
    private const string RealHash = "784acfd7d5096a8f0fbd3265760bff21b120f62407a9a9e5ba31aa3c8ed198fc";

    [Fact]
    public void Measure_RealStream_IsTheSignedMeasurement()
    {
        var stream = Evidence.Read("launch/sgx/test_enclave.sgxs");
        Assert.Equal(RealHash, Convert.ToHexStringLower(Sgxs.Measure(stream)));
        var image = Sgxs.Read(stream);
        Assert.Equal(RealHash, Convert.ToHexStringLower(image.Measure()));
        Assert.Equal(9, image.Pages.Count());
        var sigstruct = Sigstruct.Parse(Evidence.Read("launch/sgx/test_enclave.sig"));
        Assert.Equal(sigstruct.EnclaveHash, image.Measure());

        using var copy = new MemoryStream();
        Sgxs.Write(image, copy);
        Assert.Equal(stream, copy.ToArray());
    }

    [Fact]
    public void Write_AnyImage_IsReadAndMeasuredTheSame()
    {
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Byte).Array[1, 8].Sample(pages =>
        {
            var image = new EnclaveImage(0x10000, 1, [.. pages.Select((p, i) => new EnclavePage(
                (ulong)i * 4096,
                SecInfo.ReadWritePage,
                p.Item1 ? Enumerable.Repeat(p.Item3, 4096).ToArray() : default(ReadOnlyMemory<byte>),
                p.Item2))]);
            using var stream = new MemoryStream();
            Sgxs.Write(image, stream);
            var bytes = stream.ToArray();
            Assert.Equal(image.Measure(), Sgxs.Measure(bytes));
            var read = Sgxs.Read(bytes);
            Assert.Equal(image.Measure(), read.Measure());
            foreach (var (a, b) in image.Pages.Zip(read.Pages))
            {
                Assert.Equal(a.Offset, b.Offset);
                Assert.Equal(a.IsMeasured, b.IsMeasured);
                Assert.Equal(EnclaveImage.ContentOf(a), EnclaveImage.ContentOf(b));
            }
        }, iter: 200);
    }

    [Fact]
    public void Measure_TruncatedAnywhere_IsRefusedOrOtherMeasurement()
    {
        var stream = SmallStream();
        var whole = Sgxs.Measure(stream);
        for (var length = 0; length < stream.Length; length++)
        {
            var head = stream.AsSpan(0, length);
            byte[]? measurement = null;
            try
            {
                measurement = Sgxs.Measure(head);
            }
            catch (MalformedDataException)
            {
            }

            Assert.False(measurement?.AsSpan().SequenceEqual(whole) ?? false);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(13)]
    [InlineData(30)]
    [InlineData(64)]
    [InlineData(72)]
    [InlineData(81)]
    [InlineData(100)]
    [InlineData(128)]
    [InlineData(150)]
    public void Measure_OneWrongByteInRecords_IsRefused(int offset)
    {
        var stream = SmallStream();
        stream[offset] ^= 0x81;
        if (offset == 8)
            Assert.NotEqual(Sgxs.Measure(SmallStream()), Sgxs.Measure(stream));
        else
            Assert.Throws<MalformedDataException>(() => Sgxs.Measure(stream));
    }

    [Fact]
    public void Read_PageMeasuredInPart_IsMeasuredButNotLoaded()
    {
        var stream = SmallStream().AsSpan(0, 64 + 64 + 320).ToArray();
        Assert.Equal(SHA256.HashData(stream), Sgxs.Measure(stream));
        Assert.Throws<MalformedDataException>(() => Sgxs.Read(stream));
    }

    private static byte[] SmallStream()
    {
        using var stream = new MemoryStream();
        Sgxs.Write(new EnclaveImage(0x2000, 1, [new EnclavePage(0, SecInfo.ReadExecutePage, default, true)]), stream);
        return stream.ToArray();
    }
}
