using System.Buffers.Binary;
using System.Security.Cryptography;
using Kist.Enclaves.Images;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Tests.Signing;
using Kist.Formats;
using Kist.Measurement.Sgx;

namespace Kist.Enclaves.Tests.Images;

public sealed class ElfEnclaveTests
{
    /// <summary>The pages are laid out here by hand, from the SDK loader's rules, and hashed by the measurer alone.</summary>
    [Fact]
    public void Measure_SampleOfTheSdkLayout_IsThatOfItsPagesByHand()
    {
        var file = SampleElf.Build();
        using var expected = EnclaveMeasurer.Create(SampleElf.EnclaveSize, 1);
        var code = new byte[0x2000];
        file.AsSpan(SampleElf.CodeOffset, SampleElf.CodeSize).CopyTo(code);
        SampleElf.Patch.CopyTo(code.AsSpan(0x10));
        expected.AddMeasuredPage(0x0000, 0x205, code.AsSpan(0, 0x1000));
        expected.AddMeasuredPage(0x1000, 0x205, code.AsSpan(0x1000));
        var data = new byte[0x1000];
        file.AsSpan(SampleElf.DataOffset, SampleElf.DataSize).CopyTo(data.AsSpan(0x200));
        expected.AddMeasuredPage(0x3000, 0x203, data);
        var zero = new byte[0x1000];
        expected.AddMeasuredPage(0x4000, 0x203, zero);
        expected.AddMeasuredPage(0x5000, 0x203, zero);
        expected.AddMeasuredPage(0x6000, 0x203, zero);
        expected.AddPage(0x8000, 0x203);
        expected.AddPage(0x9000, 0x203);
        foreach (var delta in new ulong[] { 0, 0x8000, 0x10000 })
            AddThread(expected, delta);

        var enclave = ElfEnclave.Parse(file);
        Assert.Equal(Convert.ToHexStringLower(expected.MrEnclave()), Convert.ToHexStringLower(enclave.Image.Measure()));
        Assert.Equal("1.5", enclave.MetadataVersion);
        Assert.False(enclave.IsSigned);
    }

    [Fact]
    public void WithSigstruct_SignedFile_HasSameMeasurementAndVerifies()
    {
        var enclave = ElfEnclave.Parse(SampleElf.Build());
        var sigstruct = SigstructComposer.Sign(
            new SigstructFields { EnclaveHash = enclave.Image.Measure(), Attributes = enclave.Attributes }, SigningKeys.First);
        var signed = ElfEnclave.Parse(enclave.WithSigstruct(sigstruct));
        Assert.True(signed.IsSigned);
        var secs = signed.Image.ToSecs(signed.Attributes, signed.MiscSelect);
        Assert.Equal(enclave.Image.Measure(), signed.Image.Measure());
        Assert.Null(SigstructVerifier.FindDefect(signed.ReadSigstruct()));
        Assert.NotNull(SigstructVerifier.FindDefect(signed.ReadSigstruct(), secs));
    }

    /// <summary>A change of any loaded byte, of code, data, layout or patch, shows in the measurement or is refused.</summary>
    [Fact]
    public void Measure_AnyLoadedByteChanged_IsOtherMeasurement()
    {
        var file = SampleElf.Build();
        var measurement = ElfEnclave.Parse(file).Image.Measure();
        var layout = SampleElf.MetadataOffset + 1872 + 32 + 32;
        var offsets = new[]
        {
            SampleElf.CodeOffset, SampleElf.CodeOffset + SampleElf.CodeSize - 1, SampleElf.DataOffset,
            SampleElf.DataOffset + SampleElf.DataSize - 1, layout + 8 + 1, layout + 24, layout + (3 * 32) + 8 + 1,
            layout + (2 * 32) + 16, layout + (6 * 32) + 4, layout + (7 * 32) + 16, layout + (7 * 32) + 72,
        };
        foreach (var offset in offsets)
        {
            var changed = (byte[])file.Clone();
            changed[offset] ^= 1;
            byte[]? other = null;
            try
            {
                other = ElfEnclave.Parse(changed).Image.Measure();
            }
            catch (MalformedDataException)
            {
            }

            Assert.False(other?.AsSpan().SequenceEqual(measurement) ?? false, $"a change at offset {offset} was not noticed");
        }
    }

    [Fact]
    public void Parse_AnyByteOfHeadersOrMetadataGarbled_ThrowsNothingElse()
    {
        var file = SampleElf.Build();
        var places = Enumerable.Range(0, 64 + 112)
            .Concat(Enumerable.Range(SampleElf.MetadataOffset - 25, 25 + 64))
            .Concat(Enumerable.Range(SampleElf.MetadataOffset + 1872, 32 + 32 + 224 + 80))
            .Concat(Enumerable.Range(0x3c00, 192));
        foreach (var place in places)
        {
            foreach (var value in new byte[] { 0xff, 0x80 })
            {
                var bad = (byte[])file.Clone();
                bad[place] ^= value;
                try
                {
                    foreach (var page in ElfEnclave.Parse(bad).Image.Pages.Take(5000))
                        Assert.True(page.Content.Length is 0 or 4096);
                }
                catch (MalformedDataException)
                {
                }
            }
        }
    }

    [Fact]
    public void Parse_TruncatedFile_IsRefused()
    {
        var file = SampleElf.Build();
        for (var length = 0; length < file.Length - 0x340; length += 61)
            Assert.Throws<MalformedDataException>(() => ElfEnclave.Parse(file.AsSpan(0, length)));
    }

    [Fact]
    public void Parse_OrdinaryProgram_SaysThatItIsNoEnclave()
    {
        var error = Assert.Throws<MalformedDataException>(() => ElfEnclave.Parse(File.ReadAllBytes("/bin/ls")));
        Assert.Contains("Intel SDK", error.Message, StringComparison.Ordinal);
    }

    private static void AddThread(EnclaveMeasurer measurer, ulong delta)
    {
        var stack = new byte[0x1000];
        stack.AsSpan().Fill(0xcc);
        measurer.AddMeasuredPage(0xb000 + delta, 0x203, stack);
        measurer.AddMeasuredPage(0xc000 + delta, 0x203, stack);
        var tcs = new byte[0x1000];
        BinaryPrimitives.WriteUInt64LittleEndian(tcs.AsSpan(16), 0xd000 + delta + 0x1000);
        BinaryPrimitives.WriteUInt32LittleEndian(tcs.AsSpan(28), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(tcs.AsSpan(32), 0x40);
        BinaryPrimitives.WriteUInt64LittleEndian(tcs.AsSpan(48), 0xd000 + delta + 0x2000);
        BinaryPrimitives.WriteUInt64LittleEndian(tcs.AsSpan(56), 0xd000 + delta + 0x2000);
        tcs.AsSpan(64, 8).Fill(0xff);
        measurer.AddMeasuredPage(0xd000 + delta, 0x100, tcs);
        measurer.AddMeasuredPage(0xe000 + delta, 0x203, new byte[0x1000]);
        measurer.AddMeasuredPage(0xf000 + delta, 0x203, new byte[0x1000]);
    }
}
