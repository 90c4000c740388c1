using System.Security.Cryptography;
using Google.Protobuf;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Simulator;
using Kist.Ttrpc;

namespace Kist.Pods.Simulation;

/// <summary>
/// The host's end of simulator.proto: what the TDX module would answer to this one guest. A guest reaches only its own
/// trust domain, since each has a port of its own.
/// </summary>
public sealed class SimulatedTdxService(ITrustDomain domain)
{
    private const int ReportDataSize = 64, FirstGuestRegister = 2, LastGuestRegister = 3;

    private readonly Lock _lock = new();

    /// <summary>Serves the guest until its channel ends.</summary>
    public Task ServeAsync(Stream stream, CancellationToken cancellationToken = default) => new TtrpcServer(Service()).ServeAsync(stream, cancellationToken);

    private TtrpcService Service() => new TtrpcService(TdxPlatformMethods.Service)
        .Add(TdxPlatformMethods.GetQuote, GetQuoteRequest.Parser, (request, _) => Task.FromResult(GetQuote(request)))
        .Add(TdxPlatformMethods.ExtendRtmr, ExtendRtmrRequest.Parser, (request, _) => Task.FromResult(ExtendRtmr(request)))
        .Add(TdxPlatformMethods.GetEventLog, GetEventLogRequest.Parser, (_, _) => Task.FromResult(
            new GetEventLogResponse { EventLog = ByteString.CopyFrom(domain.EventLog.Span) }));

    private GetQuoteResponse GetQuote(GetQuoteRequest request)
    {
        if (request.ReportData.Length != ReportDataSize)
            throw new TtrpcException(TtrpcStatusCode.InvalidArgument, $"report data has {request.ReportData.Length} bytes, not {ReportDataSize}");
        lock (_lock)
            return new GetQuoteResponse { Quote = ByteString.CopyFrom(domain.Quote(request.ReportData.Span)) };
    }

    private ExtendRtmrResponse ExtendRtmr(ExtendRtmrRequest request)
    {
        if (request.Digest.Length != SHA384.HashSizeInBytes)
            throw new TtrpcException(TtrpcStatusCode.InvalidArgument, $"the digest has {request.Digest.Length} bytes, not {SHA384.HashSizeInBytes}");
        if (request.Index is < FirstGuestRegister or > LastGuestRegister)
            throw new TtrpcException(TtrpcStatusCode.PermissionDenied, $"RTMR{request.Index} is not the guest's to extend");
        lock (_lock)
            domain.ExtendRtmr((int)request.Index, request.Digest.Span);
        return new ExtendRtmrResponse();
    }
}
