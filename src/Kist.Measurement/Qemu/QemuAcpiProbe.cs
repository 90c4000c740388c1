using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Measurement.Qemu;

/// <summary>
/// Asks QEMU itself for the ACPI blobs that its firmware will measure. QEMU builds them when firmware first selects one,
/// after it has set up the PCI devices, and keeps them until reset; so the firmware is run, emulated and without a guest,
/// until that moment, and the blobs are read then. (Before it, they lack what firmware decides: the PCI windows in the
/// DSDT, the MCFG.)
/// </summary>
public static class QemuAcpiProbe
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Runs the firmware and reads the blobs.</summary>
    /// <param name="program">QEMU, such as /usr/bin/qemu-system-x86_64. The blobs depend on its version.</param>
    /// <param name="firmware">Path of the firmware image.</param>
    /// <param name="machine">
    /// The arguments that make the machine (-M, -cpu, -m, -smp, -device …), as the guest will be started, but without
    /// accelerator, firmware, kernel and monitor; see <see cref="MachineArguments"/>.
    /// </param>
    /// <param name="timeLimit">How long the firmware may take. 5 s were measured, 60 s is a safe limit.</param>
    /// <param name="cancellationToken">Ends QEMU and the call.</param>
    /// <exception cref="OperationFailedException">QEMU cannot be started, ends, or the firmware does not read the tables in time.</exception>
    public static async Task<AcpiBlobs> ReadAsync(
        string program, string firmware, IEnumerable<string> machine, TimeSpan timeLimit, CancellationToken cancellationToken = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeLimit);
        var folder = Directory.CreateTempSubdirectory("kist-acpi-");
        try
        {
            using var process = Start(program, firmware, machine, folder.FullName);
            var complaints = process.StandardError.ReadToEndAsync(CancellationToken.None);
            try
            {
                return await ReadAsync(process, folder.FullName, limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new OperationFailedException("read ACPI tables", firmware, $"the firmware did not read them within {timeLimit.TotalSeconds:0} s");
            }
            catch (Exception e) when (e is OperationFailedException or IOException or SocketException && process.HasExited)
            {
                var said = (await complaints.ConfigureAwait(false)).Trim();
                throw new OperationFailedException("read ACPI tables", program, said.Length > 0 ? said : "it ended", inner: e);
            }
            finally
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>
    /// The arguments of a guest reduced to those that make its machine: without accelerator, firmware, kernel, monitor and
    /// name, and with nothing behind character devices and disks, whose content is not in the tables.
    /// </summary>
    public static IReadOnlyList<string> MachineArguments(IReadOnlyList<string> guestArguments)
    {
        var machine = new List<string>();
        for (var i = 0; i < guestArguments.Count; i++)
        {
            var argument = guestArguments[i];
            switch (argument)
            {
                case "-accel" or "-bios" or "-kernel" or "-initrd" or "-append" or "-mon" or "-name" or "-qmp" or "-pidfile":
                    i++;
                    break;
                case "-chardev" when i + 1 < guestArguments.Count:
                    machine.AddRange(["-chardev", $"null,{Property(guestArguments[++i], "id")}"]);
                    break;
                case "-blockdev" when i + 1 < guestArguments.Count:
                    machine.AddRange(["-blockdev", $"driver=null-co,read-only=on,size=1048576,{Property(guestArguments[++i], "node-name")}"]);
                    break;
                default:
                    machine.Add(argument);
                    break;
            }
        }

        return machine;
    }

    private static string Property(string options, string name) =>
        options.Split(',').FirstOrDefault(o => o.StartsWith(name + "=", StringComparison.Ordinal))
        ?? throw new OperationFailedException("read ACPI tables", options, $"the QEMU option has no {name}");

    private static Process Start(string program, string firmware, IEnumerable<string> machine, string folder)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardError = true, RedirectStandardInput = true, RedirectStandardOutput = true };
        string[] own =
        [
            "-accel", "tcg", "-bios", firmware, "-S", "-no-reboot", "-display", "none",
            "-chardev", $"socket,id=qtest,path={folder}/qtest,server=on,wait=off", "-qtest", "chardev:qtest", "-qtest-log", "none",
            "-chardev", $"socket,id=qmp,path={folder}/qmp,server=on,wait=off", "-mon", "chardev=qmp,mode=control",
            "-trace", "fw_cfg_select", "-D", $"{folder}/trace",
        ];
        foreach (var argument in machine.Concat(own))
            start.ArgumentList.Add(argument);
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new OperationFailedException("read ACPI tables", program, "it cannot be started", "install qemu-system-x86", inner: e);
        }
    }

    private static async Task<AcpiBlobs> ReadAsync(Process process, string folder, CancellationToken cancellationToken)
    {
        using var qtest = await ConnectAsync(process, $"{folder}/qtest", cancellationToken).ConfigureAwait(false);
        using var monitor = await ConnectAsync(process, $"{folder}/qmp", cancellationToken).ConfigureAwait(false);
        using var monitorReader = new StreamReader(monitor, Encoding.UTF8);
        var configuration = new FirmwareConfigurationReader(qtest);
        var files = await configuration.ReadDirectoryAsync(cancellationToken).ConfigureAwait(false);
        if (!files.TryGetValue("etc/table-loader", out var loader) || !files.TryGetValue("etc/acpi/rsdp", out var rsdp) || !files.TryGetValue("etc/acpi/tables", out var tables))
            throw new OperationFailedException("read ACPI tables", "QEMU", "this machine has none");

        await monitorReader.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(monitor, monitorReader, "qmp_capabilities", cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(monitor, monitorReader, "cont", cancellationToken).ConfigureAwait(false);
        await WaitForSelectAsync(process, $"{folder}/trace", loader.Key, cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(monitor, monitorReader, "stop", cancellationToken).ConfigureAwait(false);
        return new AcpiBlobs(
            await configuration.ReadAsync(loader, cancellationToken).ConfigureAwait(false),
            await configuration.ReadAsync(rsdp, cancellationToken).ConfigureAwait(false),
            await configuration.ReadAsync(tables, cancellationToken).ConfigureAwait(false));
    }

    private static async Task<NetworkStream> ConnectAsync(Process process, string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception e) when (e is SocketException && !process.HasExited)
            {
                socket.Dispose();
                await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    // Lines "fw_cfg_select 0x… key 0x002c 'unknown', ret: 1".
    private static async Task WaitForSelectAsync(Process process, string trace, ushort key, CancellationToken cancellationToken)
    {
        var wanted = $" key 0x{key:x4} ";
        while (!File.Exists(trace) || !(await File.ReadAllTextAsync(trace, cancellationToken).ConfigureAwait(false)).Contains(wanted, StringComparison.Ordinal))
        {
            if (process.HasExited)
                throw new OperationFailedException("read ACPI tables", "QEMU", "it ended");
            await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task ExecuteAsync(Stream monitor, StreamReader reader, string command, CancellationToken cancellationToken)
    {
        await monitor.WriteAsync(Encoding.ASCII.GetBytes($"{{\"execute\":\"{command}\"}}\n"), cancellationToken).ConfigureAwait(false);
        while (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            using var answer = JsonDocument.Parse(line);
            if (answer.RootElement.TryGetProperty("return", out _))
                return;
            if (answer.RootElement.TryGetProperty("error", out var error))
                throw new OperationFailedException("read ACPI tables", "QEMU", $"{command}: {error}");
        }

        throw new OperationFailedException("read ACPI tables", "QEMU", "it ended");
    }
}
