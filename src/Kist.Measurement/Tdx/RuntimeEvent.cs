using System.Buffers.Binary;
using System.Text;

namespace Kist.Measurement.Tdx;

/// <summary>Events that programs in the guest extend into RTMR3 while it runs.</summary>
public static class RuntimeEvent
{
    private const uint DstackType = 0x08000001;

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

    /// <summary>RTMR3 after these digests.</summary>
    public static HashValue Replay(IEnumerable<HashValue> digests) =>
        digests.Aggregate(HashValue.Zero(TdxLaunchMeasurement.RegisterSize), (register, digest) => register.Extend(digest));
}
