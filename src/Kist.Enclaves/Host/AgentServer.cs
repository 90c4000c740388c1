using Kist.Enclaves.Manifests;
using Kist.Formats;
using Kist.Linux;
using Kist.Linux.Files;
using Kist.Linux.Network;
using Kist.Linux.Terminals;

namespace Kist.Enclaves.Host;

/// <summary>
/// Answers the container runtime, which nothing vouches for: it may execute what the manifest lists, and ask for
/// evidence; nothing else. The socket is reachable for whoever owns the container's directory on the host.
/// </summary>
sealed class AgentServer
{
    private const uint OwnerOnly = 0x180; // 0600

    private readonly PacketSocket _listener;
    private readonly EnclaveManifest _manifest;
    private readonly ProgramRunner _programs;
    private readonly EnclaveIdentity _identity;

    /// <summary>Listens; serving starts with <see cref="Start"/>, when the root has been changed.</summary>
    public AgentServer(PacketSocket listener, EnclaveManifest manifest, ProgramRunner programs, EnclaveIdentity identity)
    {
        _listener = listener;
        _manifest = manifest;
        _programs = programs;
        _identity = identity;
    }

    public void Start() => new PacketServer(_listener, "agent", Serve).Start();

    private void Serve(PacketSocket connection)
    {
        int? running = null;
        try
        {
            while (connection.Receive(AgentMessage.MaxSize) is { } packet)
            {
                using (packet)
                    Answer(connection, packet, ref running);
            }
        }
        finally
        {
            // Whoever asked for a program and goes away takes it with him.
            if (running is { } pid)
                _programs.Kill(pid);
        }
    }

    private void Answer(PacketSocket connection, Packet packet, ref int? running)
    {
        try
        {
            var request = AgentMessage.DecodeRequest(packet.Data);
            switch (request.Op)
            {
                case "exec":
                    running = Execute(connection, request, packet, running);
                    break;
                case "signal":
                    if (running is { } pid && request.Signal is { } signal and > 0 and <= Linux.Processes.Signals.Maximum)
                        _programs.Signal(pid, signal);
                    break;
                case "report" or "quote":
                    Reply(connection, new AgentReply { Evidence = Convert.ToBase64String(Evidence(request)) });
                    break;
                default:
                    throw new OperationFailedException("answer", request.Op, "the enclave knows no such request");
            }
        }
        catch (Exception e) when (e is OperationFailedException or MalformedDataException)
        {
            Reply(connection, new AgentReply { Error = e.Message });
        }
    }

    private byte[] Evidence(AgentRequest request)
    {
        byte[] nonce;
        try
        {
            nonce = Convert.FromBase64String(request.Nonce ?? "");
        }
        catch (FormatException e)
        {
            throw new MalformedDataException("nonce", -1, "not base64", e);
        }

        var evidence = request.Op == "report" ? _identity.ReportAsync(nonce, CancellationToken.None) : _identity.EvidenceAsync(nonce, CancellationToken.None);
        return evidence.GetAwaiter().GetResult();
    }

    private int Execute(PacketSocket connection, AgentRequest request, Packet packet, int? running)
    {
        var wantsTerminal = request.Terminal == true;
        if (request.Args is not { Length: > 0 } args || packet.Files.Count != (wantsTerminal ? 0 : 3) || running is not null)
            throw new OperationFailedException("execute", "request", "exec takes a command line, and three files or a terminal, once a connection");
        if (!_manifest.Exec.Any(allowed => allowed.SequenceEqual(args, StringComparer.Ordinal)))
        {
            throw new OperationFailedException(
                "execute", string.Join(' ', args), "the manifest does not list this command line",
                "list it when the manifest is made (annotation kist.enclave.exec)");
        }

        using var terminal = wantsTerminal ? OpenTerminal() : null;
        var (pid, exit) = _programs.Start(args, [.. packet.Files], terminal?.Path);
        if (terminal is not null)
            connection.Send(AgentMessage.Encode(new AgentReply { Terminal = true }), terminal.Master);
        _ = ReplyWhenEndedAsync(connection, exit);
        return pid;
    }

    /// <summary>A terminal of the enclave's own devpts: the program may open nothing outside the root.</summary>
    private PseudoTerminal OpenTerminal()
    {
        const string directory = "/dev/pts";
        if (!_manifest.Mounts.Any(m => m.Destination == directory && m.Type == "devpts"))
            throw new OperationFailedException("open terminal", directory, "the manifest has no devpts there", "mount devpts in the container, or leave the terminal out");
        var terminal = PseudoTerminal.Open(directory);
        FilePermissions.SetPath(terminal.Path, _manifest.Process.Uid, _manifest.Process.Gid, OwnerOnly);
        return terminal;
    }

    private static async Task ReplyWhenEndedAsync(PacketSocket connection, Task<Linux.Processes.ChildExit> exit)
    {
        var ended = await exit.ConfigureAwait(false);
        try
        {
            Reply(connection, new AgentReply { ExitCode = ended.ExitCode });
            connection.Shutdown();
        }
        catch (Exception e) when (e is SystemCallException or ObjectDisposedException)
        {
            // Whoever asked does not want to know any more.
        }
    }

    private static void Reply(PacketSocket connection, AgentReply reply) => connection.Send(AgentMessage.Encode(reply));
}
