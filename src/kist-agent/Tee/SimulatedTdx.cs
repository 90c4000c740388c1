using Google.Protobuf;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Simulator;
using Kist.Ttrpc;

namespace Kist.Agent.Tee;

/// <summary>TDX as the simulator on the host plays it: the same requests that hardware answers, over a channel.</summary>
sealed class SimulatedTdx(Stream channel) : ITee, IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly TtrpcClient _client = new(channel, "simulated TDX platform");
    private readonly RuntimeEventLog _events = new();
    private readonly SemaphoreSlim _extending = new(1, 1);

    public string Tee => "tdx";

    public bool IsSimulated => true;

    public async Task<byte[]> GetInitDataFieldAsync(CancellationToken cancellationToken) =>
        TdxEvidence.MrConfigIdOf(await QuoteAsync(new byte[TdxEvidence.ReportDataSize], cancellationToken));

    public async Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
    {
        // Quote and log must agree: nothing may be extended between the two.
        await _extending.WaitAsync(cancellationToken);
        try
        {
            var quote = await QuoteAsync(TdxEvidence.PadReportData(reportData), cancellationToken);
            var log = await CallAsync(TdxPlatformMethods.GetEventLog, new GetEventLogRequest(), GetEventLogResponse.Parser, cancellationToken);
            return TdxEvidence.ToJson(quote, _events.Append(log.EventLog.Span));
        }
        finally
        {
            _extending.Release();
        }
    }

    public async Task<bool> ExtendAsync(string domain, string operation, string content, CancellationToken cancellationToken)
    {
        var (tagged, digest) = RuntimeEventLog.Describe(domain, operation, content);
        await _extending.WaitAsync(cancellationToken);
        try
        {
            await CallAsync(
                TdxPlatformMethods.ExtendRtmr, new ExtendRtmrRequest { Index = RuntimeEventLog.Register, Digest = ByteString.CopyFrom(digest) },
                ExtendRtmrResponse.Parser, cancellationToken);
            _events.Add(tagged, digest);
            return true;
        }
        finally
        {
            _extending.Release();
        }
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private async Task<byte[]> QuoteAsync(byte[] reportData, CancellationToken cancellationToken) =>
        (await CallAsync(
            TdxPlatformMethods.GetQuote, new GetQuoteRequest { ReportData = ByteString.CopyFrom(reportData) }, GetQuoteResponse.Parser,
            cancellationToken)).Quote.ToByteArray();

    private Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : IMessage<T> =>
        _client.CallAsync(TdxPlatformMethods.Service, method, request, parser, Timeout, cancellationToken);
}
