using Microsoft.Win32.SafeHandles;

namespace Kist.Pods.Disks;

/// <summary>The blocks of a file that others read too, such as a blob of the host's cache.</summary>
/// <param name="path">The file.</param>
public sealed class FileBlocks(string path) : IBlockSource, IDisposable
{
    private readonly SafeFileHandle _file = File.OpenHandle(path);

    /// <inheritdoc/>
    public long Length { get; } = new FileInfo(path).Length;

    /// <inheritdoc/>
    public async Task ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            var count = await RandomAccess.ReadAsync(_file, buffer, offset, cancellationToken).ConfigureAwait(false);
            if (count == 0)
                throw new EndOfStreamException();
            offset += count;
            buffer = buffer[count..];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
