using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Kist.Measurement.EventLogs;

namespace Kist.Measurement.Tdx;

/// <summary>Events that programs in the guest extend into RTMR3 while it runs.</summary>
public static class RuntimeEvent
{
    private const uint DstackType = 0x08000001;
    private const uint AgentTag = 0x4141454C;

    /// <summary>
    /// The digest of an event of Dstack: SHA-384(u32 type 0x08000001, little-endian ‖ ":" ‖ name ‖ ":" ‖ payload). Its log
    /// leaves the digest out.
    /// </summary>
    public static HashValue DstackDigest(string name, ReadOnlySpan<byte> payload)
    {
        var type = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(type, DstackType);
        return HashValue.Sha384([.. type, (byte)':', .. Encoding.UTF8.GetBytes(name), (byte)':', .. payload]);
    }

    /// <summary>
    /// An entry of the attestation agent of Confidential Containers (AAEL): EV_EVENT_TAG whose data is a TCG_PCClientTaggedEvent with
    /// tag 4141454Ch around the text "domain operation content"; its digest is over all of the tagged event.
    /// </summary>
    /// <param name="entry">Domain, operation and content, with one space between them; the content may have further ones.</param>
    /// <exception cref="Formats.OperationFailedException">It has fewer than three parts, or a line end.</exception>
    public static MeasuredEvent AgentEvent(string entry)
    {
        if (entry.Split(' ', 3) is not [{ Length: > 0 } domain, { Length: > 0 } operation, _] || entry.Contains('\n', StringComparison.Ordinal))
            throw LaunchNotPossible.Because("event of the attestation agent", $"\"{entry}\" is not DOMAIN OPERATION CONTENT in one line");
        var text = Encoding.UTF8.GetBytes(entry);
        var data = new byte[8 + text.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(data, AgentTag);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), (uint)text.Length);
        text.CopyTo(data, 8);
        return new MeasuredEvent(3, TcgEventType.EventTag, HashValue.Sha384(data), ImmutableArray.Create(data), "agent", $"{domain} {operation}, event of the attestation agent");
    }

    /// <summary>RTMR3 after these digests.</summary>
    public static HashValue Replay(IEnumerable<HashValue> digests) =>
        digests.Aggregate(HashValue.Zero(TdxLaunchMeasurement.RegisterSize), (register, digest) => register.Extend(digest));
}
