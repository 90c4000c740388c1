using Kist.Formats;
using Kist.Linux.Files;

namespace Kist.Linux.Tests;

public class SealedMemoryFileTests
{
    [Fact]
    public void Create_SomeBytes_NobodyCanChangeThem()
    {
        using var file = SealedMemoryFile.Create("test", new MemoryStream([1, 2, 3]), 10);

        Assert.True(SealedMemoryFile.IsSealed(file));
        Assert.Throws<UnauthorizedAccessException>(() => RandomAccess.Write(file, new byte[] { 9 }, 0));
        Assert.ThrowsAny<Exception>(() => RandomAccess.SetLength(file, 0));
        using var again = File.OpenHandle($"/proc/{Environment.ProcessId}/fd/{file.DangerousGetHandle()}");
        var bytes = new byte[3];
        Assert.Equal(3, RandomAccess.Read(again, bytes, 0));
        Assert.Equal([1, 2, 3], bytes);
    }

    [Fact]
    public void Create_LongerThanTheLimit_IsRefused() =>
        Assert.Throws<OperationFailedException>(() => SealedMemoryFile.Create("test", new MemoryStream(new byte[11]), 10));
}
