using Kist.Formats;

namespace Kist.Formats.Tests;

public sealed class SpanCursorTests
{
    [Fact]
    public void ReadUInt32_EitherByteOrder_IsRead()
    {
        var cursor = new SpanCursor([1, 0, 0, 0, 0, 0, 0, 2], "sample");
        Assert.Equal(1u, cursor.ReadUInt32LittleEndian());
        Assert.Equal(2u, cursor.ReadUInt32BigEndian());
        cursor.ExpectEnd();
    }

    [Fact]
    public void ReadBytes_PastEnd_NamesStructureAndOffset()
    {
        var error = Assert.Throws<MalformedDataException>(() =>
        {
            var cursor = new SpanCursor([1, 2, 3], "sample", origin: 10);
            cursor.ReadByte();
            cursor.ReadBytes(3);
        });
        Assert.Equal("sample", error.Structure);
        Assert.Equal(11, error.Offset);
    }

    [Fact]
    public void ReadReserved_NonZeroByte_NamesItsOffset()
    {
        var error = Assert.Throws<MalformedDataException>(() => new SpanCursor([0, 0, 9, 0], "sample").ReadReserved(4, "reserved"));
        Assert.Equal(2, error.Offset);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(5)]
    public void ReadLength32_OverLimitOrRemaining_IsRefused(byte length)
    {
        Assert.Throws<MalformedDataException>(() =>
        {
            var cursor = new SpanCursor([length, 0, 0, 0, 1, 2, 3, 4], "sample");
            cursor.ReadLength32LittleEndian(10, "body");
        });
    }

    [Fact]
    public void Expect_OtherBytes_IsRefusedAtStartOfField()
    {
        var error = Assert.Throws<MalformedDataException>(() => new SpanCursor([1, 2], "sample").Expect([1, 3], "magic"));
        Assert.Equal(0, error.Offset);
        Assert.Throws<MalformedDataException>(() => new SpanCursor([1], "sample").ExpectEnd());
    }
}
