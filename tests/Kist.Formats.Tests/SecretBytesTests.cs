namespace Kist.Formats.Tests;

public sealed class SecretBytesTests
{
    [Fact]
    public void Dispose_LeavesZeros_AndNoAccess()
    {
        var secret = SecretBytes.CopyOf([1, 2, 3]);
        var memory = secret.Memory;
        secret.Dispose();
        Assert.Equal([0, 0, 0], memory.ToArray());
        Assert.Throws<ObjectDisposedException>(() => secret.Span.Length);
    }
}
