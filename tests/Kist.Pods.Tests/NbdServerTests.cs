using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using Kist.Linux.Network;
using Kist.Pods.Disks;
using Kist.Testing;

namespace Kist.Pods.Tests;

/// <summary>The NBD server against QEMU's client, and against clients that err.</summary>
public sealed class NbdServerTests
{
    private static readonly byte[] s_content = RandomNumberGenerator.GetBytes(3 * 1024 * 1024 + 512);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Serve_QemuImg_ReadsTheWholeDisk()
    {
        ExternalProgram.Require("qemu-img");
        using var directory = new TemporaryDirectory();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(directory["socket"]));
        listener.Listen();
        var serving = Task.Run(async () =>
        {
            // qemu-img connects once to look and once to read.
            while (true)
                _ = NbdServer.ServeAsync(new NetworkStream(await listener.AcceptAsync(Token), ownsSocket: true), new Blocks(s_content), Token);
        }, Token);
        await Task.Run(() => ExternalProgram.Run("qemu-img", ["convert", "-f", "raw", "-O", "raw", $"nbd+unix:///any?socket={directory["socket"]}", directory["copy"]]), Token);
        Assert.Equal(s_content, await File.ReadAllBytesAsync(directory["copy"], Token));
        listener.Close();
        await Assert.ThrowsAnyAsync<SocketException>(() => serving);
    }

    [Fact]
    public async Task Read_BlockNeverComes_OthersAreAnswered()
    {
        var never = new TaskCompletionSource();
        await using var client = await ConnectAsync(new Blocks(s_content) { Before = offset => offset == 0 ? never.Task : Task.CompletedTask });
        await client.WriteAsync(Request(0, 1, 0, 512), Token);
        await client.WriteAsync(Request(0, 2, 4096, 512), Token);
        var reply = await ReadReplyAsync(client, 512);
        Assert.Equal((0U, 2UL), (reply.Error, reply.Cookie));
        Assert.Equal(s_content[4096..4608], reply.Data);
        never.SetException(new IOException("the registry is gone"));
        reply = await ReadReplyAsync(client, 0);
        Assert.Equal((5U, 1UL), (reply.Error, reply.Cookie));
    }

    [Theory]
    [InlineData(0, ulong.MaxValue, 1U, 22U)]
    [InlineData(0, 3UL * 1024 * 1024, 513U, 22U)]
    [InlineData(0, 0UL, 0U, 22U)]
    [InlineData(0, 0UL, uint.MaxValue, 22U)]
    [InlineData(1, 0UL, 0U, 1U)]
    [InlineData(4, 0UL, 512U, 1U)]
    public async Task Request_ThatCannotBe_IsAnError(ushort type, ulong offset, uint length, uint error)
    {
        await using var client = await ConnectAsync(new Blocks(s_content));
        await client.WriteAsync(Request(type, 7, offset, length), Token);
        var reply = await ReadReplyAsync(client, 0);
        Assert.Equal((error, 7UL), (reply.Error, reply.Cookie));
    }

    [Fact]
    public async Task Request_WithWrongMagic_HangsUp()
    {
        await using var client = await ConnectAsync(new Blocks(s_content));
        await client.WriteAsync(new byte[28], Token);
        Assert.Equal(0, await client.ReadAsync(new byte[1], Token));
    }

    [Fact]
    public async Task Option_Oversized_HangsUp()
    {
        var (ours, theirs) = SocketPair.Create();
        await using var client = ours;
        _ = NbdServer.ServeAsync(new NetworkStream(new Socket(theirs), ownsSocket: true), new Blocks(s_content), Token);
        await client.ReadExactlyAsync(new byte[18], Token);
        await client.WriteAsync((byte[])[0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 7, 255, 255, 255, 255], Token);
        Assert.Equal(0, await client.ReadAsync(new byte[1], Token));
    }

    private static async Task<NetworkStream> ConnectAsync(IBlockSource source)
    {
        var (client, theirs) = SocketPair.Create();
        _ = NbdServer.ServeAsync(new NetworkStream(new Socket(theirs), ownsSocket: true), source, Token);
        await client.ReadExactlyAsync(new byte[18], Token);
        await client.WriteAsync((byte[])[0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 1, 0, 0, 0, 0], Token);
        var export = new byte[10];
        await client.ReadExactlyAsync(export, Token);
        Assert.Equal(s_content.Length, BinaryPrimitives.ReadInt64BigEndian(export));
        Assert.Equal(3, export[9]);
        return client;
    }

    private static byte[] Request(ushort type, ulong cookie, ulong offset, uint length)
    {
        var request = new byte[28];
        BinaryPrimitives.WriteUInt32BigEndian(request, 0x25609513);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(6), type);
        BinaryPrimitives.WriteUInt64BigEndian(request.AsSpan(8), cookie);
        BinaryPrimitives.WriteUInt64BigEndian(request.AsSpan(16), offset);
        BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(24), length);
        return request;
    }

    private static async Task<(uint Error, ulong Cookie, byte[] Data)> ReadReplyAsync(Stream client, int data)
    {
        var reply = new byte[16 + data];
        await client.ReadExactlyAsync(reply, Token);
        Assert.Equal(0x67446698U, BinaryPrimitives.ReadUInt32BigEndian(reply));
        return (BinaryPrimitives.ReadUInt32BigEndian(reply.AsSpan(4)), BinaryPrimitives.ReadUInt64BigEndian(reply.AsSpan(8)), reply[16..]);
    }

    private sealed class Blocks(byte[] content) : IBlockSource
    {
        public Func<long, Task> Before { get; init; } = _ => Task.CompletedTask;

        public long Length => content.Length;

        public async Task ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            await Before(offset);
            content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
        }
    }
}
