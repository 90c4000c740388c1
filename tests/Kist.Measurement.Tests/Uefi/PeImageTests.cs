using System.Security.Cryptography;
using CsCheck;
using Kist.Formats;
using Kist.Measurement.Uefi;
using Kist.Testing;

namespace Kist.Measurement.Tests.Uefi;

public sealed class PeImageTests
{
    [Fact]
    public void AuthenticodeDigest_SyntheticImage_IsHeadersSectionsAndRest()
    {
        var file = new SyntheticKernel { Trailing = 5, CertificateTable = 24 }.Build();
        byte[] hashed =
        [
            .. file[..(0x58 + 64)], .. file[(0x58 + 68)..(0x58 + 112 + 32)], .. file[(0x58 + 112 + 40)..0x400],
            .. file[0x400..(file.Length - 24)],
        ];
        Assert.Equal(HashValue.Sha384(hashed), PeImage.Parse(file).AuthenticodeDigest(HashAlgorithmName.SHA384));
    }

    [Fact]
    public void AuthenticodeDigest_ChecksumAndCertificateChange_DoNotMoveIt()
    {
        var file = new SyntheticKernel { CertificateTable = 24 }.Build();
        var before = PeImage.Parse(file).AuthenticodeDigest(HashAlgorithmName.SHA256);
        file[0x58 + 64] ^= 1;
        file[^1] ^= 1;
        Assert.Equal(before, PeImage.Parse(file).AuthenticodeDigest(HashAlgorithmName.SHA256));
        file[0x500] ^= 1;
        Assert.NotEqual(before, PeImage.Parse(file).AuthenticodeDigest(HashAlgorithmName.SHA256));
    }

    [Fact]
    public void AuthenticodeDigest_KernelSignedByDebian_IsTheOneInItsSignature()
    {
        var kernel = Directory.Exists("/boot") ? Directory.EnumerateFiles("/boot", "vmlinuz-*-amd64").FirstOrDefault() : null;
        kernel ??= Environment.GetEnvironmentVariable("KIST_TEST_SIGNED_KERNEL");
        Assert.SkipWhen(kernel is null, "no kernel signed by Debian is in /boot or named by KIST_TEST_SIGNED_KERNEL");
        var file = File.ReadAllBytes(kernel!);
        var digest = PeImage.Parse(file).AuthenticodeDigest(HashAlgorithmName.SHA256);
        Assert.True(file.AsSpan(file.Length - 8192).IndexOf(digest.Span) > 0, $"{kernel} has no signature over {digest}");
    }

    [Fact]
    public void DataOf_Section_IsItsVirtualSize()
    {
        var image = PeImage.Parse(new SyntheticKernel().Build());
        Assert.Equal([".text", ".setup"], image.Sections.Select(s => s.Name));
        Assert.Equal(0x600, image.DataOf(image.FindSection(".setup")!).Length);
        Assert.Null(image.FindSection(".linux"));
    }

    [Fact]
    public void Parse_EveryTruncation_IsReadOrRefusedPrecisely()
    {
        var file = new SyntheticKernel { BodySize = 0x200 }.Build();
        for (var length = 0; length < file.Length; length++)
            Assert.Throws<MalformedDataException>(() => PeImage.Parse(file.AsSpan(0, length).ToArray()));
    }

    [Fact]
    public void Parse_AnyDamageInTheHeaders_IsReadOrRefusedPrecisely()
    {
        var good = new SyntheticKernel { BodySize = 0x400, CertificateTable = 16 }.Build();
        Gen.Select(Gen.Int[0, 0x150], Gen.Byte).Array[1, 6].Sample(changes =>
        {
            var bytes = (byte[])good.Clone();
            foreach (var (at, value) in changes)
                bytes[at] = value;
            try
            {
                var image = PeImage.Parse(bytes);
                image.AuthenticodeDigest(HashAlgorithmName.SHA256);
                foreach (var section in image.Sections)
                    image.DataOf(section);
            }
            catch (MalformedDataException)
            {
                return;
            }
        }, iter: 20000);
    }
}
