namespace Kist.Ttrpc.Tests;

public class FrameHeaderTests
{
    // The example of containerd/ttrpc PROTOCOL.md's frame layout, laid out by hand.
    [Fact]
    public void Parse_RequestHeader_ReadsEveryField()
    {
        var header = FrameHeader.Parse([0x00, 0x01, 0x02, 0x03, 0x00, 0x00, 0x00, 0x07, 0x01, 0x02]);

        Assert.Equal(new FrameHeader(0x010203, 7, FrameType.Request, FrameHeader.RemoteOpen), header);
    }

    [Fact]
    public void Write_AnyHeader_ParsesBack()
    {
        CsCheck.Check.Sample(
            CsCheck.Gen.Select(CsCheck.Gen.UInt, CsCheck.Gen.UInt, CsCheck.Gen.Byte, CsCheck.Gen.Byte),
            t =>
            {
                var header = new FrameHeader(t.Item1, t.Item2, (FrameType)t.Item3, t.Item4);
                var bytes = new byte[FrameHeader.Size];
                header.Write(bytes);
                return FrameHeader.Parse(bytes) == header;
            });
    }
}
