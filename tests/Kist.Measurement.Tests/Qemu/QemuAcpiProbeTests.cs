using System.Diagnostics;
using System.Net.Sockets;
using Kist.Formats;
using Kist.Measurement.Linux;
using Kist.Measurement.Qemu;
using Kist.Testing;

namespace Kist.Measurement.Tests.Qemu;

/// <summary>Against the real QEMU and firmware.</summary>
public sealed class QemuAcpiProbeTests
{
    private const string Program = "/usr/bin/qemu-system-x86_64";
    private const string Firmware = "/usr/share/ovmf/OVMF.fd";

    private static readonly string[] Machine = ["-M", "q35,smm=off", "-m", "256", "-nodefaults", "-device", "virtio-rng-pci"];

    [Fact]
    public async Task Read_TwoRunsOfOneMachine_GiveTheSameBlobsAndAnotherMachineOthers()
    {
        RequireQemu();
        var first = await QemuAcpiProbe.ReadAsync(Program, Firmware, Machine, TimeSpan.FromSeconds(120), TestContext.Current.CancellationToken);
        var second = await QemuAcpiProbe.ReadAsync(Program, Firmware, Machine, TimeSpan.FromSeconds(120), TestContext.Current.CancellationToken);
        var other = await QemuAcpiProbe.ReadAsync(
            Program, Firmware, [.. Machine, "-device", "virtio-serial-pci"], TimeSpan.FromSeconds(120), TestContext.Current.CancellationToken);
        Assert.Equal(first.Digests, second.Digests);
        Assert.NotEqual(first.Digests.Tables, other.Digests.Tables);
        // MCFG is there only once firmware has set up PCI Express.
        Assert.True(first.Tables.Span.IndexOf("MCFG"u8) > 0);
        Assert.Equal("RSD PTR "u8.ToArray(), first.Rsdp.Span[..8].ToArray());
    }

    [Fact]
    public async Task Read_QemuThatRefusesItsArguments_SaysWhatQemuSaid()
    {
        RequireQemu();
        var error = await Assert.ThrowsAsync<OperationFailedException>(() => QemuAcpiProbe.ReadAsync(
            Program, Firmware, ["-M", "no-such-machine"], TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        Assert.Contains("unsupported machine type", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_FirmwareThatNeverReadsTheTables_EndsInTime()
    {
        RequireQemu();
        var firmware = Path.GetTempFileName();
        try
        {
            // hlt; jmp to it, at the reset vector.
            var image = new byte[0x10000];
            image[0xfff0] = 0xf4;
            image[0xfff1] = 0xeb;
            image[0xfff2] = 0xfd;
            File.WriteAllBytes(firmware, image);
            var error = await Assert.ThrowsAsync<OperationFailedException>(() => QemuAcpiProbe.ReadAsync(
                Program, firmware, Machine, TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken));
            Assert.Contains("did not read them", error.Reason, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(firmware);
        }
    }

    [Fact]
    public void MachineArguments_OfAGuest_KeepTheMachineOnly() => Assert.Equal(
        [
            "-M", "q35,smm=off", "-m", "512", "-nodefaults", "-chardev", "null,id=serial", "-serial", "chardev:serial",
            "-blockdev", "driver=null-co,read-only=on,size=1048576,node-name=init-data", "-device", "virtio-blk-pci,drive=init-data",
        ],
        QemuAcpiProbe.MachineArguments(
        [
            "-name", "x", "-M", "q35,smm=off", "-accel", "kvm", "-m", "512", "-nodefaults", "-bios", "/dev/fd/200", "-kernel", "k", "-initrd", "i",
            "-append", "a", "-chardev", "socket,id=serial,fd=210", "-serial", "chardev:serial", "-mon", "chardev=monitor,mode=control",
            "-blockdev", "driver=raw,node-name=init-data,read-only=on,file.driver=file", "-device", "virtio-blk-pci,drive=init-data",
        ]));

    [Theory]
    [InlineData(256, "quiet", 5000, QemuMachine.Q35)]
    [InlineData(3000, "quiet vga=0x317", 70000, QemuMachine.Q35)]
    [InlineData(256, "vga=ask", 1, QemuMachine.Pc)]
    public async Task Patch_SyntheticKernel_IsWhatQemuHandsToTheGuest(int mebibytes, string commandLine, int initrdLength, QemuMachine machine)
    {
        RequireQemu();
        var folder = Directory.CreateTempSubdirectory("kist-kernel-");
        try
        {
            var kernel = new SyntheticKernel().Build();
            var kernelPath = Path.Combine(folder.FullName, "kernel");
            var initrdPath = Path.Combine(folder.FullName, "initrd");
            await File.WriteAllBytesAsync(kernelPath, kernel, TestContext.Current.CancellationToken);
            await File.WriteAllBytesAsync(initrdPath, new byte[initrdLength], TestContext.Current.CancellationToken);
            var name = machine == QemuMachine.Q35 ? "q35" : "pc";
            var expected = await ReadKernelAsync(
                folder.FullName, kernel.Length,
                ["-M", name, "-m", mebibytes.ToString(), "-nodefaults", "-kernel", kernelPath, "-initrd", initrdPath, "-append", commandLine]);
            var patched = QemuKernelLoader.Patch(BzImage.Parse(kernel), initrdLength, commandLine, machine, (ulong)mebibytes << 20);
            Assert.Equal(Convert.ToHexStringLower(expected.AsSpan(0x1f0, 0x80)), Convert.ToHexStringLower(patched.AsSpan(0x1f0, 0x80)));
            Assert.Equal(expected, patched);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // Items 0x17 and 0x18 are size and content of the setup code, 0x08 and 0x11 of the rest.
    private static async Task<byte[]> ReadKernelAsync(string folder, int size, string[] arguments)
    {
        var socketPath = Path.Combine(folder, "qtest");
        var start = new ProcessStartInfo(Program);
        foreach (var argument in arguments.Concat(
            ["-display", "none", "-S", "-accel", "tcg", "-chardev", $"socket,id=qtest,path={socketPath},server=on,wait=off", "-qtest", "chardev:qtest", "-qtest-log", "none"]))
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            for (var i = 0; !socket.Connected; i++)
            {
                Assert.True(i < 500 && !process.HasExited, "QEMU did not open its socket");
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
                }
                catch (SocketException)
                {
                    await Task.Delay(20);
                }
            }

            using var stream = new NetworkStream(socket);
            var reader = new FirmwareConfigurationReader(stream);
            var setupSize = BitConverter.ToInt32(await reader.ReadAsync(0x17, 4, TestContext.Current.CancellationToken));
            var setup = await reader.ReadAsync(0x18, setupSize, TestContext.Current.CancellationToken);
            return [.. setup, .. await reader.ReadAsync(0x11, size - setupSize, TestContext.Current.CancellationToken)];
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    private static void RequireQemu()
    {
        Assert.SkipUnless(File.Exists(Program), $"there is no {Program}");
        Assert.SkipUnless(File.Exists(Firmware), $"there is no {Firmware}");
    }
}
