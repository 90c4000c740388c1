using System.Security.Cryptography;
using System.Text;
using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>A master key in a file of its owner's only: one line <c>kist-master-key-1 BASE64URL</c> of 32 random bytes.</summary>
public sealed class FileMasterKey : IMasterKey
{
    private const string Label = "kist-master-key-1 ";
    private const int MaxFileBytes = 256;

    private readonly SecretBytes _key;

    private FileMasterKey(SecretBytes key)
    {
        _key = key;
        // A name that says nothing about the key: half of a digest over a label and the key.
        using var named = SecretBytes.CopyOf([.. "kist master key id"u8, .. key.Span]);
        Id = $"file:{Convert.ToHexStringLower(SHA256.HashData(named.Span).AsSpan(0, 16))}";
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <summary>Reads the file.</summary>
    /// <exception cref="OperationFailedException">It is missing, others may read it, or it is not such a file.</exception>
    public static FileMasterKey Load(string path)
    {
        try
        {
            const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
            if ((File.GetUnixFileMode(file.SafeFileHandle) & others) != 0)
                throw Failed(path, "others than its owner may read or write it", $"chmod 600 {path}");
            using var text = new SecretBytes(MaxFileBytes);
            var length = file.ReadAtLeast(text.Span, MaxFileBytes, throwOnEndOfStream: false);
            return new FileMasterKey(Parse(path, text.Span[..length]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OperationFailedException("read the master key", path, e.Message, "restore it from its backup: without it no secret can be read", inner: e);
        }
    }

    /// <summary>Writes a fresh key; an existing file is never overwritten.</summary>
    /// <exception cref="OperationFailedException">The file exists, or cannot be written.</exception>
    public static FileMasterKey Create(string path)
    {
        try
        {
            using var key = SecretBytes.Random(AesGcmBox.KeyBytes);
            using var text = new SecretBytes(Label.Length + System.Buffers.Text.Base64Url.GetEncodedLength(key.Length) + 1);
            Encoding.ASCII.GetBytes(Label, text.Span);
            System.Buffers.Text.Base64Url.EncodeToUtf8(key.Span, text.Span[Label.Length..]);
            text.Span[^1] = (byte)'\n';
            using (var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                file.Write(text.Span);
                file.Flush(flushToDisk: true);
            }

            return new FileMasterKey(SecretBytes.CopyOf(key.Span));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OperationFailedException("create the master key", path, e.Message, inner: e);
        }
    }

    /// <inheritdoc/>
    public byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context) => AesGcmBox.Seal(_key.Span, key, context);

    /// <inheritdoc/>
    public SecretBytes Unwrap(ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> context) =>
        AesGcmBox.Open(_key.Span, wrapped, context)
        ?? throw new OperationFailedException("unwrap a key", Id, "it was wrapped by another master key or for another purpose, or was changed", "restore the database and the master key from the same backup");

    /// <summary>Zeroes the key.</summary>
    public void Dispose() => _key.Dispose();

    private static SecretBytes Parse(string path, ReadOnlySpan<byte> text)
    {
        if (text.StartsWith(Encoding.ASCII.GetBytes(Label)) && text is [.., (byte)'\n'])
        {
            var encoded = text[Label.Length..^1];
            var key = new SecretBytes(AesGcmBox.KeyBytes);
            if (System.Buffers.Text.Base64Url.GetMaxDecodedLength(encoded.Length) == AesGcmBox.KeyBytes
                && System.Buffers.Text.Base64Url.TryDecodeFromUtf8(encoded, key.Span, out var length) && length == AesGcmBox.KeyBytes)
                return key;
            key.Dispose();
        }

        throw Failed(path, "it is not a master key of kist", null);
    }

    private static OperationFailedException Failed(string path, string reason, string? hint) => new("read the master key", path, reason, hint);
}
