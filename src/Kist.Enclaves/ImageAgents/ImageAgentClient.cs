using System.Security.Cryptography;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.Sgx;
using Kist.Formats;
using Kist.Linux;
using Kist.Linux.Network;

namespace Kist.Enclaves.ImageAgents;

/// <summary>Asks a pod's image agent: the host's runtime, which is trusted with nothing, and application enclaves.</summary>
public sealed class ImageAgentClient : IDisposable
{
    private readonly PacketSocket _socket;

    private ImageAgentClient(PacketSocket socket) => _socket = socket;

    /// <summary>Connects to a pod's agent, waiting a while for one that is starting.</summary>
    /// <param name="path">Path of its socket.</param>
    /// <param name="patience">How long to wait.</param>
    public static ImageAgentClient Connect(string path, TimeSpan patience)
    {
        var deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (true)
        {
            try
            {
                return new ImageAgentClient(PacketSocket.Connect(path));
            }
            catch (SystemCallException) when (Environment.TickCount64 < deadline)
            {
                Thread.Sleep(20);
            }
            catch (SystemCallException e)
            {
                throw new OperationFailedException("connect to image agent", path, e.Reason, "start the pod's agent container first", inner: e);
            }
        }
    }

    /// <summary>Has an image pulled, decrypted and sealed, unless it is.</summary>
    /// <param name="reference">The image, with its digest.</param>
    /// <param name="plainHttp">True if the registry speaks plain http; null to decide by its address.</param>
    public void Pull(string reference, bool? plainHttp) =>
        Ask("pull image", reference, new ImageAgentRequest { Op = "pull", Reference = reference, PlainHttp = plainHttp });

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    /// <summary>Proves this enclave to the agent, has the agent prove itself, and returns the key of this enclave's image.</summary>
    internal SecretBytes FetchKey(EnclaveSelf self)
    {
        var hello = Ask("ask image agent", "hello", new ImageAgentRequest { Op = "hello" });
        var target = TargetInfo.Parse(ImageAgentMessage.Require(hello.TargetInfo, "targetInfo"));
        var agentManifest = ImageAgentMessage.Require(hello.Manifest, "manifest");

        using var own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var ownKey = own.ExportSubjectPublicKeyInfo();
        var report = self.Platform.Report(target, LocalAttestation.Bind(ImageAgent.ApplicationLabel, ownKey));
        var reply = Ask(
            "ask image agent", "image key",
            new ImageAgentRequest { Op = "key", Manifest = self.Manifest, Report = report.Bytes.ToArray(), PublicKey = ownKey });

        var agentKey = ImageAgentMessage.Require(reply.PublicKey, "publicKey");
        var box = ImageAgentMessage.Require(reply.Box, "box");
        Check(self, Report.Parse(ImageAgentMessage.Require(reply.Report, "report")), agentManifest, LocalAttestation.Bind(ImageAgent.AgentLabel, agentKey, ownKey, box));
        return KeyBox.Open(box, own, agentKey);
    }

    /// <summary>Only an image agent of this very host program says truly which image is behind a key.</summary>
    private static void Check(EnclaveSelf self, Report report, byte[] manifest, byte[] bound)
    {
        static OperationFailedException Refusal(string reason) => new("verify image agent", "local attestation", reason);
        if (!LocalAttestation.IsGenuine(report, bound, self.Platform.Key))
            throw Refusal("its report is not genuine, not for this enclave, or not for this answer");
        if (self.FindDefect(report, manifest) is { } defect)
            throw Refusal(defect);
        if (EnclaveManifest.Parse(manifest).Agent is null)
            throw Refusal("it is no image agent");
    }

    private ImageAgentReply Ask(string step, string subject, ImageAgentRequest request)
    {
        _socket.Send(ImageAgentMessage.Encode(request));
        using var packet = _socket.Receive(ImageAgentMessage.MaxSize) ?? throw new OperationFailedException(step, subject, "the image agent ended without an answer");
        var reply = ImageAgentMessage.DecodeReply(packet.Data);
        return reply.Error is { } error ? throw new OperationFailedException(step, subject, error) : reply;
    }
}
