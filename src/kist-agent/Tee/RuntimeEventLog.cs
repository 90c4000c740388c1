using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Kist.Agent.Tee;

/// <summary>
/// The application event log of Confidential Containers (AAEL; Trustee, kbs/docs/confidential-containers-eventlog.md):
/// events behind the firmware's own, in the same format, for RTMR3.
/// <code>
/// entry: 4 register (RTMR + 1), 4 type 6 (EV_EVENT_TAG), 4 count of digests (1), 2 algorithm 0x000c (SHA-384), 48 digest,
///        4 length of event, event; all little-endian
/// event: 4 tag 0x4141454c, 4 length, "domain operation content"
/// </code>
/// The digest is that of the whole event field.
/// </summary>
sealed class RuntimeEventLog
{
    public const int Register = 3;

    private const uint EventTag = 6, Aael = 0x4141454c;
    private const ushort Sha384 = 0x000c;

    private readonly List<byte> _entries = [];

    /// <summary>The digest to extend the register by; the entry is added by <see cref="Add"/> once that has happened.</summary>
    public static (byte[] Event, byte[] Digest) Describe(string domain, string operation, string content)
    {
        if ((domain + operation).AsSpan().ContainsAny(' ', '\n') || content.Contains('\n', StringComparison.Ordinal))
            throw new ArgumentException("domain and operation have no spaces, and nothing has line breaks", nameof(domain));
        var text = Encoding.UTF8.GetBytes($"{domain} {operation} {content}");
        var tagged = new byte[8 + text.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(tagged, Aael);
        BinaryPrimitives.WriteUInt32LittleEndian(tagged.AsSpan(4), (uint)text.Length);
        text.CopyTo(tagged, 8);
        return (tagged, SHA384.HashData(tagged));
    }

    public void Add(ReadOnlySpan<byte> tagged, ReadOnlySpan<byte> digest)
    {
        Span<byte> head = stackalloc byte[14];
        BinaryPrimitives.WriteUInt32LittleEndian(head, Register + 1);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], EventTag);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], 1);
        BinaryPrimitives.WriteUInt16LittleEndian(head[12..], Sha384);
        _entries.AddRange(head);
        _entries.AddRange(digest);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)tagged.Length);
        _entries.AddRange(length);
        _entries.AddRange(tagged);
    }

    /// <summary>The firmware's log with these events behind it.</summary>
    public byte[] Append(ReadOnlySpan<byte> firmwareLog) => [.. firmwareLog, .. _entries];
}
