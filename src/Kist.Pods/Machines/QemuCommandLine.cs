using System.Globalization;
using Kist.Pods.Disks;
using Kist.Pods.Protocol;

namespace Kist.Pods.Machines;

/// <summary>
/// QEMU's arguments for a shape. The same shape always gives the same arguments, so that the ACPI tables, which are
/// measured, can be had from a QEMU that runs no guest. Files and sockets are descriptors of fixed numbers.
/// </summary>
public static class QemuCommandLine
{
    internal const int FirmwareFile = 200, KernelFile = 201, InitrdFile = 202, DiskFile = 203, SerialSocket = 210, MonitorSocket = 211, FirstPortSocket = 220, FirstDisk = 240, FirstInterface = 280;

    /// <summary>The arguments, without the program.</summary>
    public static IReadOnlyList<string> Build(MachineShape shape) =>
    [
        "-name", "kist-pod,process=kist-pod",
        "-M", "q35,smm=off,vmport=off,sata=off,smbus=off,i8042=off",
        "-accel", QemuProgram.NameOf(shape.Accelerator),
        "-cpu", QemuProgram.CpuOf(shape.Accelerator),
        "-m", shape.MemoryMebibytes.ToString(CultureInfo.InvariantCulture),
        "-smp", shape.Cpus.ToString(CultureInfo.InvariantCulture),
        "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-vga", "none",
        "-bios", $"/dev/fd/{FirmwareFile}",
        "-kernel", $"/dev/fd/{KernelFile}",
        "-initrd", $"/dev/fd/{InitrdFile}",
        "-append", shape.Guest.Manifest.CommandLine,
        "-chardev", $"socket,id=serial,fd={SerialSocket}", "-serial", "chardev:serial",
        "-chardev", $"socket,id=monitor,fd={MonitorSocket}", "-mon", "chardev=monitor,mode=control",
        "-object", "rng-random,id=entropy,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=entropy",
        "-device", "virtio-serial-pci,id=ports",
        .. shape.Ports.SelectMany(Port),
        .. Disk(shape),
        .. shape.Disks.SelectMany(Disk),
        .. Network(shape),
        .. shape.Interfaces.SelectMany(Interface),
        .. shape.ReturnsMemory ? ["-device", "virtio-balloon-pci,free-page-reporting=on,deflate-on-oom=on"] : Array.Empty<string>(),
    ];

    private static string[] Port(string name, int index) =>
    [
        "-chardev", $"socket,id=port{index},fd={FirstPortSocket + index}",
        "-device", $"virtserialport,bus=ports.0,chardev=port{index},name={name}",
    ];

    private static string[] Interface(GuestInterface guest, int index) =>
    [
        "-netdev", $"tap,id=pod{index},fd={FirstInterface + index}",
        "-device", $"virtio-net-pci,netdev=pod{index},mac={guest.HardwareAddress},romfile=",
    ];

    private static string[] Disk(MachineShape shape) => shape.Disk.IsEmpty
        ? []
        :
        [
            "-blockdev", $"driver=raw,node-name=init-data,read-only=on,file.driver=file,file.filename=/dev/fd/{DiskFile},file.locking=off",
            "-device", "virtio-blk-pci,drive=init-data",
        ];

    private static string[] Disk(GuestDisk disk, int index) =>
    [
        "-blockdev", disk is ServedDisk
            ? $"driver=raw,node-name=disk{index},read-only=on,file.driver=nbd,file.server.type=fd,file.server.str={FirstDisk + index}"
            : $"driver=raw,node-name=disk{index},read-only={(disk is ScratchDisk or VolumeDisk ? "off" : "on")},file.driver=file,file.filename=/dev/fd/{FirstDisk + index},file.locking=off",
        // A disk that fills up on the host is an I/O error in the guest; QEMU would stop the machine.
        "-device", $"virtio-blk-pci,drive=disk{index},serial={disk.Serial}{(disk is ScratchDisk or VolumeDisk ? ",werror=report" : "")}",
    ];

    /// <summary>restrict=on: the guest reaches nothing but the doors, neither the host's loopback nor the world.</summary>
    private static string[] Network(MachineShape shape) => shape.Doors.Count == 0
        ? []
        :
        [
            "-netdev", $"user,id=net,restrict=on,ipv6=off,{string.Join(',', shape.Doors.Select(d => d.ToForward(QemuProgram.Socat)))}",
            "-device", $"virtio-net-pci,netdev=net,mac={GuestAddresses.DoorInterface},romfile=",
        ];
}
