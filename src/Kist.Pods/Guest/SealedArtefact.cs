using System.Collections.Immutable;
using System.Security.Cryptography;
using Kist.Linux.Files;
using Microsoft.Win32.SafeHandles;

namespace Kist.Pods.Guest;

/// <summary>A file's content in memory that cannot change any more, with its digest.</summary>
public sealed class SealedArtefact : IDisposable
{
    private readonly SafeFileHandle _file;
    private byte[]? _content;

    private SealedArtefact(string name, SafeFileHandle file, long length, ImmutableArray<byte> sha256)
    {
        Name = name;
        _file = file;
        Length = length;
        Sha256 = sha256;
    }

    /// <summary>The file's name.</summary>
    public string Name { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>SHA-256 of the content.</summary>
    public ImmutableArray<byte> Sha256 { get; }

    /// <summary>The content, read once: who predicts a launch and who measures it see the same.</summary>
    public ReadOnlyMemory<byte> Content => _content ??= Read();

    /// <inheritdoc/>
    public void Dispose()
    {
        _content = null;
        _file.Dispose();
    }

    /// <summary>Copies a stream, then hashes the copy after it has been sealed.</summary>
    internal static SealedArtefact Copy(string name, Stream content, long maximumLength)
    {
        var file = SealedMemoryFile.Create($"kist-{name}", content, maximumLength);
        try
        {
            var length = RandomAccess.GetLength(file);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[1 << 20];
            for (long offset = 0; offset < length;)
            {
                var read = RandomAccess.Read(file, buffer, offset);
                hash.AppendData(buffer, 0, read);
                offset += read;
            }

            return new SealedArtefact(name, file, length, [.. hash.GetHashAndReset()]);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private byte[] Read()
    {
        var bytes = new byte[Length];
        for (var offset = 0; offset < bytes.Length;)
            offset += RandomAccess.Read(_file, bytes.AsSpan(offset), offset);
        return bytes;
    }

    /// <summary>Another handle to the same memory, for reading, to give to a child.</summary>
    internal SafeFileHandle Share() => File.OpenHandle($"/proc/self/fd/{_file.DangerousGetHandle()}");
}
