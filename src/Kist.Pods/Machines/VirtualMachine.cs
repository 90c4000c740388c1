using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Kist.Formats;
using Kist.Linux.Files;
using Kist.Linux.Network;
using Kist.Linux.Polling;
using Kist.Linux.Processes;
using Kist.Pods.Disks;
using Microsoft.Win32.SafeHandles;

namespace Kist.Pods.Machines;

/// <summary>
/// A running QEMU. It owns nothing in the file system: what it boots is sealed memory, its channels are socket pairs.
/// It dies with this object, and with this process.
/// </summary>
public sealed class VirtualMachine : IAsyncDisposable
{
    private static readonly TimeSpan QuitTimeout = TimeSpan.FromSeconds(2);

    private readonly ChildProcess _process;
    private readonly Dictionary<string, IGuestChannel> _channels;
    private readonly NetworkStream _monitor;
    private readonly IReadOnlyList<IDisposable> _owned;

    private VirtualMachine(ChildProcess process, Dictionary<string, IGuestChannel> channels, NetworkStream monitor, IReadOnlyList<IDisposable> owned)
    {
        _process = process;
        _channels = channels;
        _monitor = monitor;
        _owned = owned;
    }

    /// <summary>What the guest's serial console printed. The guest may print anything: it proves nothing.</summary>
    public BoundedLog Console { get; } = new();

    /// <summary>What QEMU itself complained about.</summary>
    public BoundedLog Complaints { get; } = new();

    /// <summary>QEMU's process identifier.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Completes when QEMU has ended. Its status says nothing of the guest: a panic ends it with 0 too.</summary>
    public Task<ChildExit> Exited => _process.Exited;

    /// <summary>The channel to a port named in the shape.</summary>
    public IGuestChannel Channel(string port) => _channels[port];

    /// <summary>Starts a machine.</summary>
    /// <exception cref="OperationFailedException">QEMU is missing or cannot be started.</exception>
    public static VirtualMachine Start(MachineShape shape)
    {
        if (!File.Exists(QemuProgram.Path))
            throw new OperationFailedException("start virtual machine", QemuProgram.Path, "does not exist", "install the package qemu-system-x86");
        if (shape.Doors.Count > 0 && !File.Exists(QemuProgram.Socat))
            throw new OperationFailedException("start virtual machine", QemuProgram.Socat, "does not exist", "install the package socat");

        var files = new Dictionary<int, SafeHandle>();
        var owned = new List<IDisposable>();
        try
        {
            Add(QemuCommandLine.FirmwareFile, shape.Guest.Firmware.Share());
            Add(QemuCommandLine.KernelFile, shape.Guest.Kernel.Share());
            Add(QemuCommandLine.InitrdFile, shape.Guest.Initrd.Share());
            if (!shape.Disk.IsEmpty)
                Add(QemuCommandLine.DiskFile, SealedMemoryFile.Create("kist-init-data", new MemoryStream(shape.Disk.ToArray()), shape.Disk.Length));
            var served = new List<(Stream Client, IBlockSource Source)>();
            for (var i = 0; i < shape.Disks.Count; i++)
            {
                if (shape.Disks[i] is ServedDisk disk)
                    served.Add((AddSocket(QemuCommandLine.FirstDisk + i), disk.Source));
                else
                    Add(QemuCommandLine.FirstDisk + i, Open(shape.Disks[i]));
            }

            var serial = AddSocket(QemuCommandLine.SerialSocket);
            var monitor = AddSocket(QemuCommandLine.MonitorSocket);
            var channels = new Dictionary<string, IGuestChannel>(StringComparer.Ordinal);
            for (var i = 0; i < shape.Ports.Count; i++)
                channels.Add(shape.Ports[i], new VirtioSerialChannel(shape.Ports[i], AddSocket(QemuCommandLine.FirstPortSocket + i)));
            for (var i = 0; i < shape.Interfaces.Count; i++)
                Add(QemuCommandLine.FirstInterface + i, shape.Interfaces[i].Tap);
            var (output, complaints) = Pipes.Create();
            var outputStream = new PolledStream(output, "QEMU's output");
            owned.Add(outputStream);
            Add(1, complaints);
            files[2] = complaints;

            var process = ChildProcess.StartTied(new ChildStart
            {
                Program = QemuProgram.Path,
                Arguments = QemuCommandLine.Build(shape),
                Environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin" },
                Files = files,
            });
            var machine = new VirtualMachine(process, channels, monitor, owned);
            foreach (var (client, source) in served)
                _ = NbdServer.ServeAsync(client, source, CancellationToken.None);
            _ = machine.Console.DrainAsync(serial);
            _ = machine.Complaints.DrainAsync(outputStream);
            _ = machine.GreetMonitorAsync();
            return machine;
        }
        catch
        {
            foreach (var item in owned)
                item.Dispose();
            throw;
        }
        finally
        {
            // The child has its own copies.
            foreach (var handle in files.Values)
                handle.Dispose();
        }

        void Add(int descriptor, SafeHandle handle) => files.Add(descriptor, handle);

        NetworkStream AddSocket(int descriptor)
        {
            var (ours, theirs) = SocketPair.Create();
            files.Add(descriptor, theirs);
            owned.Add(ours);
            return ours;
        }
    }

    /// <summary>Ends the machine at once, by QMP and, if that takes longer than two seconds, by SIGKILL.</summary>
    public async Task QuitAsync()
    {
        if (!Exited.IsCompleted)
        {
            try
            {
                await _monitor.WriteAsync("{\"execute\":\"quit\"}\n"u8.ToArray()).ConfigureAwait(false);
                await Exited.WaitAsync(QuitTimeout).ConfigureAwait(false);
            }
            catch (Exception e) when (e is TimeoutException or IOException or ObjectDisposedException)
            {
                _process.Signal(Signals.Kill);
            }
        }

        await Exited.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await QuitAsync().ConfigureAwait(false);
        foreach (var item in _owned)
            item.Dispose();
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle Open(GuestDisk disk) => disk switch
    {
        ScratchDisk scratch => scratch.Create(),
        VolumeDisk volume => File.OpenHandle(volume.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite),
        _ => File.OpenHandle(((FileDisk)disk).Path),
    };

    /// <summary>QMP obeys commands only after this one; its answers are read so that it never waits for us.</summary>
    private async Task GreetMonitorAsync()
    {
        try
        {
            await _monitor.WriteAsync("{\"execute\":\"qmp_capabilities\"}\n"u8.ToArray()).ConfigureAwait(false);
            var buffer = new byte[4096];
            while (await _monitor.ReadAsync(buffer).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // QEMU is gone.
        }
    }
}
