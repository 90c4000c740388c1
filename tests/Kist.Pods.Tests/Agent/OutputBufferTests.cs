using System.IO.Pipelines;
using Kist.Agent.Containers;

namespace Kist.Pods.Tests.Agent;

public class OutputBufferTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_FromTheSameOffset_GivesTheSameBytes()
    {
        var buffer = new OutputBuffer();
        await buffer.FillAsync(new MemoryStream([1, 2, 3]));

        Assert.Equal([1, 2], (await buffer.ReadAsync(0, 2, TimeSpan.Zero, Token)).Data.ToArray());
        var again = await buffer.ReadAsync(0, 10, TimeSpan.Zero, Token);
        Assert.Equal([1, 2, 3], again.Data.ToArray());
        Assert.True(again.End);
        Assert.Equal([3], (await buffer.ReadAsync(2, 10, TimeSpan.Zero, Token)).Data.ToArray());
        var end = await buffer.ReadAsync(3, 10, TimeSpan.Zero, Token);
        Assert.True(end is { Data.Length: 0, End: true });
    }

    [Theory]
    [InlineData(1ul)]
    [InlineData(4ul)]
    public async Task Read_ForgottenOrFutureOffset_IsRefused(ulong offset)
    {
        var buffer = new OutputBuffer();
        await buffer.FillAsync(new MemoryStream([1, 2, 3]));
        await buffer.ReadAsync(2, 10, TimeSpan.Zero, Token);

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => buffer.ReadAsync(offset, 10, TimeSpan.Zero, Token));
    }

    [Fact]
    public async Task Read_NothingThere_WaitsAndComesBackEmpty()
    {
        var buffer = new OutputBuffer();

        var (data, end) = await buffer.ReadAsync(0, 10, TimeSpan.FromMilliseconds(20), Token);

        Assert.True(data.IsEmpty);
        Assert.False(end);
    }

    [Fact]
    public async Task Fill_MoreThanTheCapacity_WaitsForTheReader()
    {
        var pipe = new Pipe();
        var buffer = new OutputBuffer();
        var content = new byte[OutputBuffer.Capacity * 3];
        new Random(1).NextBytes(content);
        var filling = buffer.FillAsync(pipe.Reader.AsStream());
        var writing = Task.Run(
            async () =>
            {
                await pipe.Writer.WriteAsync(content, Token);
                await pipe.Writer.CompleteAsync();
            },
            Token);

        using var received = new MemoryStream();
        while (true)
        {
            var (data, end) = await buffer.ReadAsync((ulong)received.Length, 100_000, TimeSpan.FromSeconds(10), Token);
            received.Write(data.Span);
            if (end)
                break;
        }

        await Task.WhenAll(filling, writing);
        Assert.Equal(content, received.ToArray());
    }
}
