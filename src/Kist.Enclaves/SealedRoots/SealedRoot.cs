using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Kist.Enclaves.Manifests;
using Kist.Formats;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.SealedRoots;

/// <summary>Reads a <see cref="SealedRootFormat">sealed root</see>. Safe for concurrent use.</summary>
sealed class SealedRoot : IFileSource
{
    private readonly SafeFileHandle _file;
    private readonly SecretBytes _key;
    private readonly byte[] _header;
    private readonly long _length;
    private readonly Dictionary<string, long> _offsets = [];

    private SealedRoot(SafeFileHandle file, SecretBytes key, byte[] header, long length)
    {
        _file = file;
        _key = key;
        _header = header;
        _length = length;
    }

    /// <summary>The tree, which the enclaves that wrote it listed.</summary>
    public ImmutableArray<ManifestFile> Files { get; private set; }

    /// <summary>Opens a root and reads its index.</summary>
    /// <param name="file">The file; owned by the result, as is the key.</param>
    /// <param name="key">32 bytes.</param>
    /// <param name="imageDigest">SHA-256 of the image that is expected.</param>
    /// <exception cref="MalformedDataException">It is none, or of another image.</exception>
    /// <exception cref="OperationFailedException">It was changed, or is under another key.</exception>
    public static SealedRoot Open(SafeFileHandle file, SecretBytes key, ReadOnlySpan<byte> imageDigest)
    {
        try
        {
            var header = new byte[SealedRootFormat.HeaderSize];
            ReadAt(file, header, 0);
            var (length, indexLength) = SealedRootFormat.ReadHeader(header, RandomAccess.GetLength(file), imageDigest);
            var root = new SealedRoot(file, key, header, length);
            var index = new byte[indexLength];
            using (var text = new TextStream(root, 0, indexLength))
                text.ReadExactly(index);
            root.ReadIndex(index);
            return root;
        }
        catch
        {
            file.Dispose();
            key.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Stream OpenRead(ManifestFile file) => new TextStream(this, _offsets[file.Path], file.Size!.Value);

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        _key.Dispose();
    }

    private void ReadIndex(byte[] index)
    {
        try
        {
            Files = [.. JsonSerializer.Deserialize(index, SealedRootJson.Default.ManifestFileArray) ?? []];
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(SealedRootFormat.Name, e.BytePositionInLine ?? -1, "its index is none", e);
        }

        ManifestRules.CheckFiles(Files);
        long at = index.Length;
        foreach (var file in Files.Where(f => f.Type == ManifestFileType.File))
        {
            _offsets.Add(file.Path, at);
            at = checked(at + file.Size!.Value);
        }

        if (at != _length)
            throw new MalformedDataException(SealedRootFormat.Name, 16, "its files are not as long as its index says");
    }

    private static void ReadAt(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        for (var done = 0; done < buffer.Length;)
        {
            var read = RandomAccess.Read(file, buffer[done..], offset + done);
            if (read == 0)
                throw new MalformedDataException(SealedRootFormat.Name, offset + done, "it ends in the middle");
            done += read;
        }
    }

    /// <summary>A piece of the text, from its start to its end; chunks are proven before anything of them is returned.</summary>
    private sealed class TextStream(SealedRoot root, long start, long length) : ForwardStream
    {
        private readonly AesGcm _cipher = new(root._key.Span, SealedRootFormat.TagSize);
        private readonly byte[] _sealed = new byte[SealedRootFormat.ChunkSize + SealedRootFormat.TagSize];
        private readonly byte[] _text = new byte[SealedRootFormat.ChunkSize];
        private long _chunk = -1;
        private long _done;

        public override int Read(Span<byte> buffer)
        {
            var wanted = (int)Math.Min(buffer.Length, length - _done);
            if (wanted == 0)
                return 0;
            var at = start + _done;
            Load(at / SealedRootFormat.ChunkSize);
            var within = (int)(at % SealedRootFormat.ChunkSize);
            var part = Math.Min(wanted, SealedRootFormat.ChunkSize - within);
            _text.AsSpan(within, part).CopyTo(buffer);
            _done += part;
            return part;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _cipher.Dispose();
                CryptographicOperations.ZeroMemory(_text);
            }

            base.Dispose(disposing);
        }

        private void Load(long chunk)
        {
            if (chunk == _chunk)
                return;
            var size = (int)Math.Min(SealedRootFormat.ChunkSize, root._length - (chunk * SealedRootFormat.ChunkSize));
            var block = _sealed.AsSpan(0, size + SealedRootFormat.TagSize);
            ReadAt(root._file, block, SealedRootFormat.HeaderSize + (chunk * (SealedRootFormat.ChunkSize + SealedRootFormat.TagSize)));
            Span<byte> nonce = stackalloc byte[SealedRootFormat.NonceSize];
            SealedRootFormat.WriteNonce(nonce, chunk);
            try
            {
                _cipher.Decrypt(nonce, block[..size], block[size..], _text.AsSpan(0, size), root._header);
            }
            catch (AuthenticationTagMismatchException e)
            {
                throw new OperationFailedException("read sealed root", $"chunk {chunk}", "it was changed, or is under another key", inner: e);
            }

            _chunk = chunk;
        }
    }
}
