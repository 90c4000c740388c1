using System.Text;
using CsCheck;
using Kist.Formats;
using Kist.Pods.Protocol;
using Kist.Testing;

namespace Kist.Pods.Tests;

public class InitDataDiskTests
{
    [Fact]
    public void Read_KatasOwnDisk_GivesItsDocument()
    {
        // kata-containers src/agent/testdata/initdata.img.
        using var disk = File.OpenRead(Evidence.PathOf("initdata/initdata.img"));

        Assert.Contains("some content", Encoding.UTF8.GetString(InitDataDisk.Read(disk)), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_AnyDocument_IsReadBack() => Gen.Byte.Array[0, 5000].Sample(document =>
    {
        var disk = InitDataDisk.Write(document);
        return disk.Length % 512 == 0 && InitDataDisk.HasMagic(disk) && InitDataDisk.Read(new MemoryStream(disk)).AsSpan().SequenceEqual(document);
    });

    [Fact]
    public void Read_CutAtEveryLength_IsMalformed()
    {
        var disk = InitDataDisk.Write(Encoding.UTF8.GetBytes("algorithm = \"sha384\""));
        var used = 16 + (int)BitConverter.ToUInt64(disk, 8);
        for (var length = 0; length < used; length++)
            Assert.Throws<MalformedDataException>(() => InitDataDisk.Read(new MemoryStream(disk[..length])));
    }

    [Fact]
    public void Read_LengthAboveTheLimit_IsRefusedBeforeItIsAllocated()
    {
        var disk = InitDataDisk.Write([1]);
        BitConverter.TryWriteBytes(disk.AsSpan(8), ulong.MaxValue);

        Assert.Equal(8, Assert.Throws<MalformedDataException>(() => InitDataDisk.Read(new MemoryStream(disk))).Offset);
    }

    [Fact]
    public void Read_GzipBomb_StopsAtTheLimit()
    {
        using var bomb = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(bomb, System.IO.Compression.CompressionLevel.SmallestSize, leaveOpen: true))
            gzip.Write(new byte[InitDataDisk.MaximumDocument + 1]);
        var disk = new byte[16 + bomb.Length];
        "initdata"u8.CopyTo(disk);
        BitConverter.TryWriteBytes(disk.AsSpan(8), bomb.Length);
        bomb.ToArray().CopyTo(disk, 16);

        Assert.Throws<MalformedDataException>(() => InitDataDisk.Read(new MemoryStream(disk)));
    }
}
