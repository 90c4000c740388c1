using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Kist.Enclaves.Manifests;
using Kist.Formats;

namespace Kist.Enclaves.SealedRoots;

/// <summary>Writes a <see cref="SealedRootFormat">sealed root</see>.</summary>
sealed class SealedRootWriter : IDisposable
{
    private readonly Stream _target;
    private readonly AesGcm _cipher;
    private readonly byte[] _header;
    private readonly byte[] _text = new byte[SealedRootFormat.ChunkSize];
    private readonly byte[] _sealed = new byte[SealedRootFormat.ChunkSize + SealedRootFormat.TagSize];
    private readonly byte[] _nonce = new byte[SealedRootFormat.NonceSize];
    private int _filled;
    private long _chunk;

    private SealedRootWriter(Stream target, ReadOnlySpan<byte> key, byte[] header)
    {
        _target = target;
        _cipher = new AesGcm(key, SealedRootFormat.TagSize);
        _header = header;
    }

    /// <summary>Encrypts a tree.</summary>
    /// <param name="target">Where it goes.</param>
    /// <param name="key">32 bytes, used for nothing else.</param>
    /// <param name="imageDigest">SHA-256 of the image.</param>
    /// <param name="root">The tree's directory.</param>
    /// <param name="files">The tree as <see cref="RootTree"/> lists it.</param>
    public static void Write(Stream target, ReadOnlySpan<byte> key, ReadOnlySpan<byte> imageDigest, string root, ImmutableArray<ManifestFile> files)
    {
        var index = JsonSerializer.SerializeToUtf8Bytes([.. files], SealedRootJson.Default.ManifestFileArray);
        if (index.Length > SealedRootFormat.MaxIndexBytes)
            throw new OperationFailedException("seal root", root, $"its index of {index.Length} bytes is longer than {SealedRootFormat.MaxIndexBytes}");
        var length = index.Length + files.Sum(f => f.Size ?? 0);
        using var writer = new SealedRootWriter(target, key, SealedRootFormat.WriteHeader(length, index.Length, imageDigest));
        target.Write(writer._header);
        writer.Add(index);
        foreach (var file in files.Where(f => f.Type == ManifestFileType.File))
            writer.Add(root + file.Path, file.Size!.Value);
        writer.Finish();
    }

    public void Dispose()
    {
        _cipher.Dispose();
        CryptographicOperations.ZeroMemory(_text);
    }

    private void Add(string path, long length)
    {
        using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        for (long done = 0; done < length;)
        {
            var read = source.Read(_text, _filled, (int)Math.Min(_text.Length - _filled, length - done));
            if (read == 0)
                throw new OperationFailedException("seal root", path, "it became shorter meanwhile");
            done += read;
            _filled += read;
            if (_filled == _text.Length)
                Finish();
        }
    }

    private void Add(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            var part = Math.Min(text.Length, _text.Length - _filled);
            text[..part].CopyTo(_text.AsSpan(_filled));
            _filled += part;
            text = text[part..];
            if (_filled == _text.Length)
                Finish();
        }
    }

    /// <summary>Encrypts what is waiting.</summary>
    private void Finish()
    {
        if (_filled == 0)
            return;
        SealedRootFormat.WriteNonce(_nonce, _chunk++);
        _cipher.Encrypt(_nonce, _text.AsSpan(0, _filled), _sealed.AsSpan(0, _filled), _sealed.AsSpan(_filled, SealedRootFormat.TagSize), _header);
        _target.Write(_sealed, 0, _filled + SealedRootFormat.TagSize);
        _filled = 0;
    }
}
