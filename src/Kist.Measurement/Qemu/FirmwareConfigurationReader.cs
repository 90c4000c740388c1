using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Kist.Formats;

namespace Kist.Measurement.Qemu;

/// <summary>
/// Reads QEMU's firmware configuration device from outside the guest, through the qtest protocol: text lines that read and
/// write the guest's memory and ports. The guest must be stopped, and its memory at 0x1000 is overwritten.
/// <code>
/// FWCfgDmaAccess, big-endian   0 4 control: key &lt;&lt; 16 | 8 select | 2 read | 1 error    4 4 length   8 8 address
/// its address goes to port 0x514 (high half) and 0x518 (low half, starts it), big-endian     docs/specs/fw_cfg
/// directory, key 0x19          0 4 count    then 64 bytes a file: 4 size, 2 key, 2 reserved, 56 name
/// </code>
/// </summary>
sealed class FirmwareConfigurationReader(Stream stream)
{
    private const uint DescriptorAddress = 0x1000;
    private const uint BufferAddress = 0x10000;
    private const int BufferSize = 0x10000;
    private const ushort DirectoryKey = 0x19;
    private const int MaximumFiles = 1024;
    private const int MaximumFileSize = 4 << 20;
    private const int MaximumLine = 2 * BufferSize + 64;

    private readonly byte[] _line = new byte[MaximumLine];
    private int _buffered;

    /// <summary>Names, keys and sizes of all files.</summary>
    public async Task<IReadOnlyDictionary<string, FirmwareConfigurationFile>> ReadDirectoryAsync(CancellationToken cancellationToken)
    {
        var count = BinaryPrimitives.ReadUInt32BigEndian(await ReadAsync(DirectoryKey, 4, cancellationToken).ConfigureAwait(false));
        if (count > MaximumFiles)
            throw new MalformedDataException("fw_cfg directory", 0, $"{count} files are more than the limit of {MaximumFiles}");
        var directory = await ReadAsync(DirectoryKey, 4 + 64 * (int)count, cancellationToken).ConfigureAwait(false);
        var files = new Dictionary<string, FirmwareConfigurationFile>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            var entry = directory.AsSpan(4 + 64 * i, 64);
            var name = Encoding.ASCII.GetString(entry[8..]).TrimEnd('\0');
            files[name] = new FirmwareConfigurationFile(BinaryPrimitives.ReadUInt16BigEndian(entry[4..]), BinaryPrimitives.ReadUInt32BigEndian(entry));
        }

        return files;
    }

    /// <summary>The content of one file.</summary>
    public Task<byte[]> ReadAsync(FirmwareConfigurationFile file, CancellationToken cancellationToken) =>
        file.Size <= MaximumFileSize
            ? ReadAsync(file.Key, (int)file.Size, cancellationToken)
            : throw new MalformedDataException("fw_cfg file", -1, $"{file.Size} bytes are more than the limit of {MaximumFileSize}");

    /// <summary>The first bytes of an item.</summary>
    public async Task<byte[]> ReadAsync(ushort key, int size, CancellationToken cancellationToken)
    {
        var content = new byte[size];
        var select = ((uint)key << 16) | 8;
        for (var at = 0; at < size; at += BufferSize)
        {
            var length = Math.Min(BufferSize, size - at);
            await TransferAsync((at == 0 ? select : 0) | 2, length, cancellationToken).ConfigureAwait(false);
            var answer = await CommandAsync($"read 0x{BufferAddress:x} 0x{length:x}", cancellationToken).ConfigureAwait(false);
            if (!answer.StartsWith("0x", StringComparison.Ordinal) || answer.Length != 2 + 2 * length)
                throw new MalformedDataException("qtest answer", -1, $"{length} bytes of memory were asked for");
            Convert.FromHexString(answer.AsSpan(2), content.AsSpan(at, length), out _, out _);
        }

        return content;
    }

    private async Task TransferAsync(uint control, int length, CancellationToken cancellationToken)
    {
        var descriptor = new byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(descriptor, control);
        BinaryPrimitives.WriteUInt32BigEndian(descriptor.AsSpan(4), (uint)length);
        BinaryPrimitives.WriteUInt64BigEndian(descriptor.AsSpan(8), BufferAddress);
        await CommandAsync($"write 0x{DescriptorAddress:x} 0x10 0x{Convert.ToHexStringLower(descriptor)}", cancellationToken).ConfigureAwait(false);
        await CommandAsync("outl 0x514 0x0", cancellationToken).ConfigureAwait(false);
        await CommandAsync($"outl 0x518 0x{BinaryPrimitives.ReverseEndianness(DescriptorAddress):x}", cancellationToken).ConfigureAwait(false);
        var left = await CommandAsync($"readl 0x{DescriptorAddress:x}", cancellationToken).ConfigureAwait(false);
        if (!ulong.TryParse(left.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) || value != 0)
            throw new OperationFailedException("read fw_cfg", "QEMU", $"the transfer ended with {left}");
    }

    private async Task<string> CommandAsync(string command, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(command + "\n"), cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var answer = await ReadLineAsync(cancellationToken).ConfigureAwait(false);
            if (answer.StartsWith("IRQ", StringComparison.Ordinal))
                continue;
            if (!answer.StartsWith("OK", StringComparison.Ordinal))
                throw new OperationFailedException("read fw_cfg", "QEMU", $"qtest answered \"{answer}\" to \"{command.Split(' ')[0]}\"");
            return answer.Length > 3 ? answer[3..] : "";
        }
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var end = _line.AsSpan(0, _buffered).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var text = Encoding.ASCII.GetString(_line, 0, end).TrimEnd('\r');
                _buffered -= end + 1;
                _line.AsSpan(end + 1, _buffered).CopyTo(_line);
                return text;
            }

            if (_buffered == _line.Length)
                throw new MalformedDataException("qtest answer", -1, $"a line is longer than {MaximumLine} bytes");
            var count = await stream.ReadAsync(_line.AsMemory(_buffered), cancellationToken).ConfigureAwait(false);
            if (count == 0)
                throw new OperationFailedException("read fw_cfg", "QEMU", "it ended");
            _buffered += count;
        }
    }
}
