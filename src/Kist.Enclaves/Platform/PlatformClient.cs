using Kist.Enclaves.Sgx;
using Kist.Formats;
using Kist.Linux.Network;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Platform;

/// <summary>The enclave instructions as an enclave process has them: requests to the simulated platform.</summary>
public sealed class PlatformClient : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly PacketSocket _socket;
    private readonly string _path;

    private PlatformClient(PacketSocket socket, string path)
    {
        _socket = socket;
        _path = path;
    }

    /// <summary>Connects to the platform.</summary>
    /// <exception cref="OperationFailedException">There is none.</exception>
    public static PlatformClient Connect(string path)
    {
        PacketSocket socket;
        try
        {
            socket = PacketSocket.Connect(path);
        }
        catch (Linux.SystemCallException e)
        {
            throw new OperationFailedException(
                "connect to platform", path, e.Reason, "start the simulated platform: kist-rune platform", inner: e);
        }

        socket.SetReceiveTimeout(s_patience);
        return new PlatformClient(socket, path);
    }

    /// <summary>True if a platform answers at a path. One that is about to end does not.</summary>
    public static bool Answers(string path)
    {
        if (!File.Exists(path))
            return false;
        try
        {
            using var platform = Connect(path);
            using var reply = platform.Exchange(PlatformOperation.Hello, "ask platform", []);
            return true;
        }
        catch (OperationFailedException)
        {
            return false;
        }
    }

    /// <summary>
    /// Has an enclave measured and initialised for this process, which then executes the returned program: only as that
    /// program can it enter.
    /// </summary>
    public SafeFileHandle Launch(SafeFileHandle hostProgram, SafeFileHandle manifest, SafeFileHandle sigstruct, SgxAttributes attributes)
    {
        Span<byte> operand = stackalloc byte[SgxAttributes.Size];
        attributes.Write(operand);
        using var reply = Exchange(PlatformOperation.Launch, "launch enclave", operand, hostProgram, manifest, sigstruct);
        PlatformMessage.Result(reply.Data, "launch enclave", _path);
        return TakeFile(reply, "launch enclave");
    }

    /// <summary>Becomes the enclave that was launched for this process. Its control page, and its sealed manifest.</summary>
    public (Secs Secs, SafeFileHandle Manifest) Enter()
    {
        using var reply = Exchange(PlatformOperation.Enter, "enter enclave", []);
        var result = PlatformMessage.Result(reply.Data, "enter enclave", _path);
        return (Secs.Parse(result), TakeFile(reply, "enter enclave"));
    }

    /// <summary>EREPORT.</summary>
    public Report Report(TargetInfo target, ReadOnlySpan<byte> reportData)
    {
        ArgumentNullException.ThrowIfNull(target);
        using var reply = Exchange(PlatformOperation.Report, "EREPORT", [.. target.Bytes, .. reportData]);
        return Sgx.Report.Parse(PlatformMessage.Result(reply.Data, "EREPORT", _path));
    }

    /// <summary>EGETKEY: 16 bytes. The caller zeroes them.</summary>
    public byte[] Key(KeyRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var reply = Exchange(PlatformOperation.Key, "EGETKEY", request.Bytes);
        var key = PlatformMessage.Result(reply.Data, "EGETKEY", _path);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(reply.Data);
        return key;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private Packet Exchange(PlatformOperation operation, string step, ReadOnlySpan<byte> operand, params ReadOnlySpan<SafeFileHandle> files)
    {
        lock (_lock)
        {
            _socket.Send(PlatformMessage.Request(operation, operand), files);
            return _socket.Receive(PlatformMessage.MaxSize)
                ?? throw new OperationFailedException(step, _path, "the platform closed the connection");
        }
    }

    private SafeFileHandle TakeFile(Packet reply, string step)
    {
        if (reply.Files.Count != 1)
            throw new OperationFailedException(step, _path, $"the platform sent {reply.Files.Count} files, not 1");
        var file = reply.Files[0];
        return reply.Detach(file);
    }
}
