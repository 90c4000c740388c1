using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Kist.Linux.Devices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Storage;

/// <summary>
/// Device-mapper devices through /dev/mapper/control (linux/dm-ioctl.h, interface 4).
/// <code>
/// struct dm_ioctl (312 bytes)
/// 0x00  4×3 version        0x1c 4 flags
/// 0x0c  4   data_size      0x20 4 event_nr
/// 0x10  4   data_start     0x28 8 dev
/// 0x14  4   target_count   0x30 128 name
/// 0x18  4   open_count     0xb0 129 uuid
/// struct dm_target_spec (40 bytes): 0x00 8 start, 0x08 8 length, 0x10 4 status, 0x14 4 next, 0x18 16 type; then parameters
/// </code>
/// A table with a wrong key or a wrong root hash maps without complaint: a verified read must follow.
/// </summary>
public sealed class DeviceMapper : IDisposable
{
    private const int HeaderSize = 312, TargetSize = 40;
    private const byte CreateCommand = 3, RemoveCommand = 4, SuspendCommand = 6, LoadCommand = 9, StatusCommand = 12;
    private const int MaximumStatus = 512;
    private const uint ReadOnlyFlag = 1;

    private readonly SafeFileHandle _control = File.OpenHandle("/dev/mapper/control", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);

    /// <summary>Creates a device of targets one behind the other, makes it live, and returns its node, "/dev/dm-N".</summary>
    /// <param name="name">The device's name, at most 127 bytes.</param>
    /// <param name="isReadOnly">True if nothing may be written.</param>
    /// <param name="targets">What it consists of.</param>
    public string Create(string name, bool isReadOnly, IReadOnlyList<MapperTarget> targets)
    {
        var created = Call(CreateCommand, name, 0, 0, []);
        try
        {
            Load(name, isReadOnly, targets);
            Call(SuspendCommand, name, 0, 0, []); // without the suspend flag this command resumes
        }
        catch
        {
            Remove(name);
            throw;
        }

        var device = BinaryPrimitives.ReadUInt64LittleEndian(created.AsSpan(0x28));
        return $"/dev/dm-{(device & 0xff) | ((device >> 12) & 0xffffff00)}";
    }

    /// <summary>Removes a device that nothing uses.</summary>
    public void Remove(string name) => Call(RemoveCommand, name, 0, 0, []);

    /// <summary>What the only target of a device says of itself, as its kernel document describes it.</summary>
    public string Status(string name)
    {
        var answer = Call(StatusCommand, name, 0, 0, new byte[MaximumStatus]);
        var start = (int)BinaryPrimitives.ReadUInt32LittleEndian(answer.AsSpan(0x10)) + TargetSize;
        var text = answer.AsSpan(Math.Min(start, answer.Length));
        return Encoding.ASCII.GetString(text[..Math.Max(0, text.IndexOf((byte)0))]);
    }

    /// <inheritdoc/>
    public void Dispose() => _control.Dispose();

    private void Load(string name, bool isReadOnly, IReadOnlyList<MapperTarget> targets)
    {
        var table = new byte[targets.Sum(SizeOf)];
        try
        {
            ulong start = 0;
            var offset = 0;
            foreach (var target in targets)
            {
                var spec = table.AsSpan(offset, SizeOf(target));
                BinaryPrimitives.WriteUInt64LittleEndian(spec, start);
                BinaryPrimitives.WriteUInt64LittleEndian(spec[0x08..], target.Sectors);
                BinaryPrimitives.WriteUInt32LittleEndian(spec[0x14..], (uint)spec.Length); // distance to the next one
                WriteName(spec.Slice(0x18, 16), target.Type);
                target.Parameters.Span.CopyTo(spec[TargetSize..]);
                start += target.Sectors;
                offset += spec.Length;
            }

            Call(LoadCommand, name, isReadOnly ? ReadOnlyFlag : 0, targets.Count, table);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(table);
        }
    }

    /// <summary>Specification, parameters and their NUL, in whole eights.</summary>
    private static int SizeOf(MapperTarget target) => (TargetSize + target.Parameters.Length + 1 + 7) & ~7;

    private byte[] Call(byte command, string name, uint flags, int targets, ReadOnlySpan<byte> table)
    {
        // The kernel may answer into all of data_size.
        var block = new byte[HeaderSize + Math.Max(table.Length, 16)];
        try
        {
            BinaryPrimitives.WriteUInt32LittleEndian(block, 4);
            BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(0x0c), (uint)block.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(0x10), HeaderSize);
            BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(0x14), (uint)targets);
            BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(0x1c), flags);
            WriteName(block.AsSpan(0x30, 128), name);
            table.CopyTo(block.AsSpan(HeaderSize));
            DeviceControl.Call(_control, DeviceControl.ReadWriteRequest('\xfd', command, HeaderSize), block, "device mapper command", $"{command} of {name}");
            return command == StatusCommand ? block.ToArray() : block[..HeaderSize];
        }
        finally
        {
            CryptographicOperations.ZeroMemory(block);
        }
    }

    private static void WriteName(Span<byte> field, string name)
    {
        if (Encoding.UTF8.GetByteCount(name) >= field.Length)
            throw new ArgumentException($"is longer than {field.Length - 1} bytes", nameof(name));
        Encoding.UTF8.GetBytes(name, field);
    }
}
