using Kist.Formats;
using Kist.Linux.Network;

namespace Kist.Enclaves.ImageAgents;

/// <summary>Answers on the one socket of a pod.</summary>
sealed class ImageAgentServer(ImageAgent agent, Action<string> log)
{
    private static readonly TimeSpan s_pullPatience = TimeSpan.FromMinutes(30);

    /// <summary>Serves one connection to its end.</summary>
    public void Serve(PacketSocket connection)
    {
        while (connection.Receive(ImageAgentMessage.MaxSize) is { } packet)
        {
            using (packet)
                connection.Send(ImageAgentMessage.Encode(Answer(packet)));
        }
    }

    private ImageAgentReply Answer(Packet packet)
    {
        try
        {
            var request = ImageAgentMessage.DecodeRequest(packet.Data);
            return request.Op switch
            {
                "pull" => Pull(request),
                "hello" => agent.Hello(),
                "key" => agent.Release(
                    ImageAgentMessage.Require(request.Manifest, "manifest"), ImageAgentMessage.Require(request.Report, "report"),
                    ImageAgentMessage.Require(request.PublicKey, "publicKey")),
                _ => throw new OperationFailedException("answer", request.Op, "the image agent knows no such request"),
            };
        }
        catch (Exception e) when (e is OperationFailedException or MalformedDataException or IOException or OperationCanceledException)
        {
            log(e.Message);
            return new ImageAgentReply { Error = e is OperationFailedException { Hint: { } hint } ? $"{e.Message} ({hint})" : e.Message };
        }
    }

    private ImageAgentReply Pull(ImageAgentRequest request)
    {
        using var limit = new CancellationTokenSource(s_pullPatience);
        agent.PullAsync(ImageAgentMessage.Require(request.Reference, "reference"), request.PlainHttp, limit.Token).GetAwaiter().GetResult();
        return new ImageAgentReply();
    }
}
