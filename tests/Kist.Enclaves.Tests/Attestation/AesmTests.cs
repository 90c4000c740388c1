using System.Net.Sockets;
using Kist.Enclaves.Aesm;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Attestation;

public sealed class AesmTests : IDisposable
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kist-aesm-");
    private readonly SimulatedQuoter _quoter = new();

    private string SocketPath => Path.Combine(_directory.FullName, "aesm.socket");

    public void Dispose()
    {
        _quoter.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Quote_ReportForTheQuotingEnclave_IsQuoted()
    {
        using var server = new AesmServer(_quoter.Processor, _quoter.Quoting, SocketPath);
        var client = new AesmClient(SocketPath, TimeSpan.FromSeconds(10));
        var target = await client.InitQuoteAsync(Cancel);
        Assert.Equal(_quoter.Quoting.Target.Bytes, target.Bytes);
        var quote = await client.QuoteAsync(_quoter.Processor.Report(_quoter.Enclave, target, new byte[64]), Cancel);
        Assert.Equal(_quoter.Enclave.Secs.MrEnclave, quote.AsSpan(48 + 64, 32));
    }

    [Fact]
    public async Task Quote_ReportWithWrongMac_IsRefused()
    {
        using var server = new AesmServer(_quoter.Processor, _quoter.Quoting, SocketPath);
        var client = new AesmClient(SocketPath, TimeSpan.FromSeconds(10));
        var forElsewhere = _quoter.Processor.Report(_quoter.Enclave, new TargetInfo(), new byte[64]);
        var error = await Assert.ThrowsAsync<OperationFailedException>(() => client.QuoteAsync(forElsewhere, Cancel));
        Assert.Contains("error 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InitQuote_NobodyListens_SaysWhatToDo()
    {
        var error = await Assert.ThrowsAsync<OperationFailedException>(
            () => new AesmClient(SocketPath, TimeSpan.FromSeconds(1)).InitQuoteAsync(Cancel));
        Assert.Contains("aesmd", error.Hint, StringComparison.Ordinal);
    }

    /// <summary>Messages as the service's own protocol definition encodes them, written here by hand.</summary>
    [Fact]
    public void Wrap_Request_HasTheBytesOfProtobuf()
    {
        Assert.Equal("aa01024898", Convert.ToHexStringLower(AesmMessage.Wrap(AesmMessage.KeyIdCount, [0x48, 0x98])));
        var (field, body) = AesmMessage.Unwrap(Convert.FromHexString("7a0608001202abcd"));
        Assert.Equal(AesmMessage.InitQuote, field);
        Assert.Equal(0u, body[1].Number);
        Assert.Equal("ABCD", Convert.ToHexString(body[2].Bytes.Span));
    }

    [Theory]
    [InlineData("")]
    [InlineData("7a06080012")]
    [InlineData("7aff")]
    [InlineData("7a0608001202abcd7a00aa0100")]
    [InlineData("79")]
    [InlineData("ffffffffffffffffffffff")]
    public void Unwrap_NotOneMessage_IsRefused(string hex) =>
        Assert.Throws<MalformedDataException>(() => AesmMessage.Unwrap(Convert.FromHexString(hex)));

    [Fact]
    public async Task Call_ServiceSendsGarbage_IsRefusedWithinLimits()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        listener.Listen();
        var serving = Task.Run(
            async () =>
            {
                using var peer = await listener.AcceptAsync(Cancel);
                await AesmMessage.ReceiveAsync(peer, Cancel);
                await peer.SendAsync(new byte[] { 0xff, 0xff, 0xff, 0x7f, 1 }, Cancel);
            },
            Cancel);
        await Assert.ThrowsAsync<MalformedDataException>(() => new AesmClient(SocketPath, TimeSpan.FromSeconds(5)).InitQuoteAsync(Cancel));
        await serving;
    }
}
