using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CsCheck;
using Kist.Formats;
using Kist.Measurement.Nitro;
using Kist.Testing;

namespace Kist.Measurement.Tests.Nitro;

/// <summary>
/// The formula is that of aws-nitro-enclaves-image-format (src/utils/eif_hasher.rs); no image with published PCRs can be
/// had without Amazon's own blobs.
/// </summary>
public sealed class NitroMeasurementTests
{
    private static readonly byte[] Kernel = [1, 2, 3];
    private static readonly byte[] CommandLine = "quiet"u8.ToArray();
    private static readonly byte[] First = [4, 4];
    private static readonly byte[] Second = [5];

    [Fact]
    public void Of_Image_HashesItsSectionsAsTheBuilderDoes()
    {
        var measurement = NitroMeasurement.Of(EifImage.Parse(SyntheticEif.Build((1, Kernel), (2, CommandLine), (5, "{}"u8.ToArray()), (3, First), (3, Second))));
        Assert.Equal(Expected([.. Kernel, .. CommandLine, .. First, .. Second]), measurement.Pcr0);
        Assert.Equal(Expected([.. Kernel, .. CommandLine, .. First]), measurement.Pcr1);
        Assert.Equal(Expected(Second), measurement.Pcr2);
        Assert.Null(measurement.Pcr8);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_SignedImage_HasTheCertificateInPcr8(bool asNumbers)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var certificate = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA384)
            .CreateSelfSigned(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var pem = System.Text.Encoding.ASCII.GetBytes(certificate.ExportCertificatePem());
        var writer = new CborWriter();
        writer.WriteStartArray(1);
        writer.WriteStartMap(2);
        writer.WriteTextString("signing_certificate");
        if (asNumbers)
        {
            writer.WriteStartArray(pem.Length);
            foreach (var value in pem)
                writer.WriteUInt32(value);
            writer.WriteEndArray();
        }
        else
        {
            writer.WriteByteString(pem);
        }

        writer.WriteTextString("signature");
        writer.WriteByteString([1]);
        writer.WriteEndMap();
        writer.WriteEndArray();
        var measurement = NitroMeasurement.Of(EifImage.Parse(SyntheticEif.Build((1, Kernel), (2, CommandLine), (3, First), (4, writer.Encode()))));
        Assert.Equal(Expected(certificate.RawData), measurement.Pcr8);
    }

    [Fact]
    public void Parse_AnyBitFlipped_IsRefused()
    {
        var good = SyntheticEif.Build((1, Kernel), (2, CommandLine), (3, First));
        for (var at = 0; at < good.Length; at++)
        {
            var bad = (byte[])good.Clone();
            bad[at] ^= 1;
            Assert.Throws<MalformedDataException>(() => EifImage.Parse(bad));
        }
    }

    [Fact]
    public void Parse_EveryTruncation_IsRefused()
    {
        var good = SyntheticEif.Build((1, Kernel), (2, CommandLine), (3, First));
        for (var length = 0; length < good.Length; length++)
            Assert.Throws<MalformedDataException>(() => EifImage.Parse(good.AsSpan(0, length).ToArray()));
    }

    [Fact]
    public void Parse_DamageUnderARightCrc_IsReadOrRefusedPrecisely()
    {
        var good = SyntheticEif.Build((1, Kernel), (2, CommandLine), (3, First), (4, [0x81, 0xa1, 0x61, 0x61, 0x01]));
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte).Array[1, 6].Sample(changes =>
        {
            var bytes = (byte[])good.Clone();
            foreach (var (at, value) in changes)
                bytes[at] = value;
            SyntheticEif.Seal(bytes);
            try
            {
                NitroMeasurement.Of(EifImage.Parse(bytes));
            }
            catch (Exception e) when (e is MalformedDataException or OperationFailedException)
            {
                return;
            }
        }, iter: 20000);
    }

    [Fact]
    public void Of_ImageWithoutARamdisk_IsRefused() =>
        Assert.Throws<OperationFailedException>(() => NitroMeasurement.Of(EifImage.Parse(SyntheticEif.Build((1, Kernel), (2, CommandLine)))));

    private static HashValue Expected(byte[] content) => new(SHA384.HashData([.. new byte[48], .. SHA384.HashData(content)]));
}
