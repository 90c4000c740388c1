using CsCheck;
using Kist.Formats;
using Kist.Measurement.Firmware;
using Kist.Measurement.Tdx;
using Kist.Testing;

namespace Kist.Measurement.Tests.Firmware;

public sealed class OvmfImageTests
{
    [Fact]
    public void Parse_SyntheticImage_FindsTableAndSections()
    {
        var image = OvmfImage.Parse(SyntheticOvmf.WithTdx().Build());
        Assert.Equal(4, image.Table!.Entries.Count);
        var sections = image.ReadTdvfSections();
        Assert.Equal(6, sections.Length);
        Assert.Equal(
            new TdvfSection(0x4000, 0xc000, 0xffff4000, 0xc000, TdvfSectionType.BootFirmwareVolume, TdvfSectionAttributes.MeasureContent),
            sections[0]);
    }

    [Fact]
    public void Parse_WithoutFooter_HasNoTable()
    {
        var image = OvmfImage.Parse(new byte[0x1000]);
        Assert.Null(image.Table);
        Assert.Empty(image.ReadTdvfSections());
    }

    [Fact]
    public void Parse_EmptyFile_IsRefused() => Assert.Throws<MalformedDataException>(() => OvmfImage.Parse(Array.Empty<byte>()));

    [Theory]
    [InlineData(0, 0x20000, 0xffff0000, 0x20000, 0, 1, "outside the image")]
    [InlineData(0, 0x1000, 0xffff0800, 0x1000, 0, 1, "whole pages")]
    [InlineData(0, 0x1000, 0xffff0000, 0x1800, 0, 1, "whole pages")]
    [InlineData(0, 0, 0xffff0000, 0, 0, 1, "whole pages")]
    [InlineData(0, 0x2000, 0xffff0000, 0x1000, 0, 1, "do not fit")]
    [InlineData(0, 0, 0x1000, 0x8000000000000000, 3, 0, "limit")]
    [InlineData(0, 0, 0xfffffffffffff000, 0x2000, 3, 2, "whole pages")]
    [InlineData(0, 0, 0x1000, 0x1000, 3, 8, "attributes")]
    public void Parse_ImpossibleSection_IsRefused(uint offset, uint raw, ulong address, ulong memory, uint type, uint attributes, string reason)
    {
        var bytes = new SyntheticOvmf { Tdvf = [(offset, raw, address, memory, type, attributes)] }.Build();
        Assert.Contains(reason, Assert.Throws<MalformedDataException>(() => OvmfImage.Parse(bytes).ReadTdvfSections()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_ManySectionsOfTheLargestSize_AreRefusedTogether()
    {
        var bytes = new SyntheticOvmf { Tdvf = [.. Enumerable.Range(0, 3).Select(i => (0u, 0u, (ulong)i << 30, 1UL << 29, 3u, 0u))] }.Build();
        Assert.Throws<MalformedDataException>(() => OvmfImage.Parse(bytes).ReadTdvfSections());
    }

    [Fact]
    public void Parse_AnyDamage_IsReadOrRefusedPrecisely()
    {
        // The tables lie in the last 2 KiB; what is damaged elsewhere is content.
        var good = SyntheticOvmf.WithTdx().Build();
        Gen.Select(Gen.Int[good.Length - 0x820, good.Length - 1], Gen.Byte).Array[1, 8].Sample(changes =>
        {
            var bytes = (byte[])good.Clone();
            foreach (var (at, value) in changes)
                bytes[at] = value;
            try
            {
                OvmfImage.Parse(bytes).ReadTdvfSections();
            }
            catch (MalformedDataException)
            {
                return;
            }
        }, iter: 20000);
    }

    [Fact]
    public void Parse_EveryTruncation_IsReadOrRefusedPrecisely()
    {
        var good = SyntheticOvmf.WithTdx(0x2000, 0x1000).Build();
        for (var length = 1; length < good.Length; length++)
        {
            // Cutting the front moves nothing that is found from the end; cutting the end removes the table.
            var end = OvmfImage.Parse(good.AsSpan(0, length).ToArray());
            Assert.Empty(end.ReadTdvfSections());
            try
            {
                OvmfImage.Parse(good.AsSpan(good.Length - length).ToArray()).ReadTdvfSections();
            }
            catch (MalformedDataException)
            {
            }
        }
    }
}
