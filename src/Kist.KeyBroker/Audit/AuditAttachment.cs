using System.IO.Compression;
using System.Security.Cryptography;

namespace Kist.KeyBroker.Audit;

/// <summary>A document that audit entries point to.</summary>
/// <param name="Kind">"verdict", "evidence", "policy", …; unique within one entry.</param>
/// <param name="Content">Its bytes.</param>
sealed record AuditAttachment(string Kind, ReadOnlyMemory<byte> Content)
{
    // What is decompressed is bounded by what a request could bring.
    private const int MaxContentBytes = 32 * 1024 * 1024;

    /// <summary>"sha256:" and the digest of the content.</summary>
    public string Digest { get; } = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Content.Span))}";

    /// <summary>
    /// If it is larger than this once it is compressed it is not stored, and the entry has its digest alone: what strangers
    /// send cannot fill the disk.
    /// </summary>
    public int MaxStoredBytes { get; init; } = int.MaxValue;

    /// <summary>What is stored, or null if it is too large for that.</summary>
    public byte[]? Compress()
    {
        using var output = new MemoryStream(Content.Length / 4);
        using (var deflate = new DeflateStream(output, CompressionLevel.Fastest, leaveOpen: true))
            deflate.Write(Content.Span);
        return output.Length <= MaxStoredBytes ? output.ToArray() : null;
    }

    /// <summary>The content of what was stored.</summary>
    public static byte[] Decompress(byte[] stored)
    {
        using var deflate = new DeflateStream(new MemoryStream(stored), CompressionMode.Decompress);
        using var output = new MemoryStream();
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = deflate.Read(chunk)) > 0)
        {
            if (output.Length + read > MaxContentBytes)
                throw new InvalidDataException("an attachment of the audit log is larger than it can be");
            output.Write(chunk, 0, read);
        }

        return output.ToArray();
    }
}
