using System.Buffers.Binary;
using System.Collections.Concurrent;
using Kist.Attestation.X509;

namespace Kist.Attestation.Dcap;

/// <summary>
/// Quoting enclaves' keys that were read before, by their exact bytes: all quotes of one quoting enclave are signed by one key,
/// and reading it costs half of what checking a signature with it does. Nothing is known of a key by its being here: whether
/// the platform's certificate vouches for it is judged each time. Bounded; safe for concurrent use.
/// </summary>
internal static class AttestationKeys
{
    /// <summary>The most keys that are kept; when they are reached, all are forgotten.</summary>
    public const int EntryLimit = 256;

    private static readonly ConcurrentDictionary<Point, PublicKey> Keys = new();

    /// <summary>A P-256 key from its coordinates, x then y, 32 bytes each. Null if the point is not on the curve.</summary>
    public static PublicKey? Read(ReadOnlySpan<byte> xy)
    {
        if (xy.Length != 64)
            return null;
        var point = new Point(UInt128At(xy, 0), UInt128At(xy, 16), UInt128At(xy, 32), UInt128At(xy, 48));
        if (Keys.TryGetValue(point, out var known))
            return known;
        if (PublicKey.FromP256(xy) is not { } key)
            return null;
        if (Keys.Count >= EntryLimit)
            Keys.Clear();
        Keys[point] = key;
        return key;
    }

    private static UInt128 UInt128At(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt128LittleEndian(bytes[at..]);

    /// <summary>All 64 bytes, so that no two keys are taken for one.</summary>
    private readonly record struct Point(UInt128 X0, UInt128 X1, UInt128 Y0, UInt128 Y1);
}
