using Kist.Enclaves.Manifests;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Simulation;
using Kist.Formats;
using Kist.Linux;
using Kist.Linux.Files;
using Kist.Linux.Network;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Platform;

/// <summary>A reply and the files that go with it.</summary>
internal sealed record PlatformReply(byte[] Data, params SafeFileHandle[] Files) : IDisposable
{
    public void Dispose()
    {
        foreach (var file in Files)
            file.Dispose();
    }
}

/// <summary>
/// One connection. Before ENTER it belongs to a launcher, which nothing vouches for; after ENTER it is bound to one
/// enclave and one process, and a packet of any other process, even one that was handed the socket, is refused.
/// </summary>
internal sealed class PlatformSession(SimulatedProcessor processor, LaunchTable launches, Action<string> log) : IDisposable
{
    private const uint ExecuteOnly = 0x49; // 0111

    private SimulatedEnclave? _enclave;
    private int _processId;

    public PlatformReply Answer(Packet request)
    {
        try
        {
            return request.Data is [var operation, .. var operand]
                ? Answer((PlatformOperation)operation, operand, request)
                : Refuse("the request is empty");
        }
        catch (Exception e) when (e is MalformedDataException or ProcessorFaultException or OperationFailedException)
        {
            return Refuse(e.Message);
        }
    }

    public void Dispose() => _enclave = null;

    private PlatformReply Answer(PlatformOperation operation, byte[] operand, Packet request) => operation switch
    {
        PlatformOperation.Hello => new PlatformReply(PlatformMessage.Done([])),
        PlatformOperation.Launch => Launch(operand, request),
        PlatformOperation.Enter => Enter(operand, request),
        PlatformOperation.Report => Report(operand, request),
        PlatformOperation.Key => Key(operand, request),
        _ => Refuse($"operation {(byte)operation} is unknown"),
    };

    /// <summary>What is measured is copied and sealed first, so that nobody can change it between measuring and executing.</summary>
    private PlatformReply Launch(byte[] operand, Packet request)
    {
        if (_enclave is not null)
            return Refuse("an enclave cannot launch another on its own connection");
        if (operand.Length != SgxAttributes.Size || request.Files.Count != 3)
            return Refuse("LAUNCH takes attributes, a host program, a manifest and a SIGSTRUCT");
        if (PeerProcess.Find(request.ProcessId) is not { } process)
            return Refuse("the launching process is not visible from here");

        foreach (var file in request.Files)
        {
            if (FileExamination.Of(file).Kind != FileKind.Regular)
                return Refuse("LAUNCH takes regular files");
        }

        var program = Seal(request.Files[0], "kist-enclave", ApplicationEnclave.MaxHostBytes);
        var manifest = Seal(request.Files[1], "kist-enclave-manifest", EnclaveManifest.MaxBytes);
        try
        {
            var sigstruct = Sigstruct.Parse(ReadAll(request.Files[2], Sigstruct.SizeInBytes));
            var manifestBytes = ReadAll(manifest, EnclaveManifest.MaxBytes);
            EnclaveManifest.Parse(manifestBytes);
            var image = ApplicationEnclave.Create(ReadAll(program, ApplicationEnclave.MaxHostBytes), manifestBytes);
            var enclave = SimulatedProcessor.Initialize(image, SgxAttributes.Read(operand), sigstruct);
            log($"enclave {Convert.ToHexStringLower(enclave.Secs.MrEnclave)} initialised for process {process.Id}");
            var reply = new PlatformReply(PlatformMessage.Done([]), FilePermissions.Reopen(program));
            // Executable, not readable: the kernel then makes the process undumpable before its first instruction.
            FilePermissions.Set(program, ExecuteOnly);
            if (launches.Add(new PendingLaunch(process, enclave, program, FileExamination.Of(program), manifest)))
                return reply;
            reply.Dispose();
            return Refuse("too many enclaves wait to be entered");
        }
        catch
        {
            program.Dispose();
            manifest.Dispose();
            throw;
        }
    }

    private PlatformReply Enter(byte[] operand, Packet request)
    {
        if (operand.Length != 0 || _enclave is not null)
            return Refuse("ENTER takes nothing, and only once");
        if (launches.Take(request.ProcessId) is not { } launch)
            return Refuse("no enclave was launched for this process");
        using (launch)
        {
            if (PeerProcess.Find(request.ProcessId) != launch.Process)
                return Refuse("this is another process than the one that launched");
            if (launch.Process.Program() is not { } running ||
                (running.Device, running.Inode) != (launch.ProgramStatus.Device, launch.ProgramStatus.Inode))
            {
                return Refuse("the process does not execute the program that was measured");
            }

            if (launch.Process.FindInterference() is { } interference)
                return Refuse($"the process is not alone: {interference}");
            (_enclave, _processId) = (launch.Enclave, request.ProcessId);
            return new PlatformReply(PlatformMessage.Done(_enclave.Secs.Bytes), FilePermissions.Reopen(launch.Manifest));
        }
    }

    private PlatformReply Report(byte[] operand, Packet request)
    {
        if (operand.Length != TargetInfo.SizeInBytes + ReportBody.ReportDataSize)
            return Refuse("EREPORT takes TARGETINFO and REPORTDATA");
        var target = TargetInfo.Parse(operand.AsSpan(0, TargetInfo.SizeInBytes));
        return Bound(request) is { } enclave
            ? new PlatformReply(PlatformMessage.Done(processor.Report(enclave, target, operand.AsSpan(TargetInfo.SizeInBytes)).Bytes))
            : Refuse("only an enclave may execute EREPORT");
    }

    private PlatformReply Key(byte[] operand, Packet request) =>
        Bound(request) is { } enclave
            ? new PlatformReply(PlatformMessage.Done(processor.Key(enclave, KeyRequest.Parse(operand))))
            : Refuse("only an enclave may execute EGETKEY");

    private SimulatedEnclave? Bound(Packet request) => request.ProcessId == _processId ? _enclave : null;

    private PlatformReply Refuse(string reason)
    {
        log($"refused: {reason}");
        return new PlatformReply(PlatformMessage.Refused(reason));
    }

    private static SafeFileHandle Seal(SafeFileHandle file, string name, long limit)
    {
        using var stream = new FileStream(FilePermissions.Reopen(file), FileAccess.Read, bufferSize: 0);
        return SealedMemoryFile.Create(name, stream, limit);
    }

    private static byte[] ReadAll(SafeFileHandle file, int limit)
    {
        var length = RandomAccess.GetLength(file);
        if (length > limit)
            throw new MalformedDataException("file", -1, $"{length} bytes, more than the limit of {limit}");
        var bytes = new byte[length];
        for (var done = 0; done < bytes.Length;)
        {
            var read = RandomAccess.Read(file, bytes.AsSpan(done), done);
            if (read == 0)
                throw new MalformedDataException("file", done, "it became shorter meanwhile");
            done += read;
        }

        return bytes;
    }
}
