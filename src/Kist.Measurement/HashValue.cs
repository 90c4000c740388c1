using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Measurement;

/// <summary>A digest or the content of a measurement register, compared by value and shown as lower-case hexadecimal.</summary>
public readonly struct HashValue : IEquatable<HashValue>
{
    private readonly byte[]? _bytes;

    /// <summary>Takes a copy of these bytes.</summary>
    public HashValue(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    private HashValue(byte[] owned) => _bytes = owned;

    /// <summary>The bytes: 48 for SHA-384, 32 for SHA-256; empty for the default value.</summary>
    public ReadOnlySpan<byte> Span => _bytes;

    /// <summary>Number of bytes.</summary>
    public int Length => _bytes?.Length ?? 0;

    /// <summary>A register before its first extension.</summary>
    public static HashValue Zero(int length) => new(new byte[length]);

    /// <summary>SHA-384 of <paramref name="data"/>.</summary>
    public static HashValue Sha384(ReadOnlySpan<byte> data) => new(SHA384.HashData(data));

    /// <summary>SHA-256 of <paramref name="data"/>.</summary>
    public static HashValue Sha256(ReadOnlySpan<byte> data) => new(SHA256.HashData(data));

    /// <summary>The digest of <paramref name="data"/> by SHA-256 or SHA-384, the two in use for measurement.</summary>
    public static HashValue Of(HashAlgorithmName algorithm, ReadOnlySpan<byte> data) =>
        algorithm == HashAlgorithmName.SHA384 ? Sha384(data)
        : algorithm == HashAlgorithmName.SHA256 ? Sha256(data)
        : throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "measurements use SHA-256 and SHA-384");

    /// <summary>Reads hexadecimal text.</summary>
    /// <exception cref="MalformedDataException">It is not hexadecimal.</exception>
    public static HashValue Parse(string hex)
    {
        try
        {
            return new HashValue(Convert.FromHexString(hex));
        }
        catch (FormatException e)
        {
            throw new MalformedDataException("digest", -1, "must be hexadecimal", e);
        }
    }

    /// <summary>
    /// This register after the extension by <paramref name="digest"/>: H(register ‖ digest), where H is the hash whose
    /// length the register has (RTMR: SHA-384; PCR: the bank's).
    /// </summary>
    /// <exception cref="ArgumentException">The digest has another length than the register.</exception>
    public HashValue Extend(HashValue digest)
    {
        if (digest.Length != Length)
            throw new ArgumentException($"a register of {Length} bytes cannot be extended by {digest.Length} bytes", nameof(digest));
        Span<byte> joined = stackalloc byte[2 * 64];
        joined = joined[..(2 * Length)];
        Span.CopyTo(joined);
        digest.Span.CopyTo(joined[Length..]);
        return Length == SHA384.HashSizeInBytes ? Sha384(joined) : Sha256(joined);
    }

    /// <inheritdoc/>
    public bool Equals(HashValue other) => Span.SequenceEqual(other.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is HashValue other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    /// <summary>Lower-case hexadecimal.</summary>
    public override string ToString() => Convert.ToHexStringLower(Span);

    /// <summary>Equal bytes.</summary>
    public static bool operator ==(HashValue left, HashValue right) => left.Equals(right);

    /// <summary>Different bytes.</summary>
    public static bool operator !=(HashValue left, HashValue right) => !left.Equals(right);
}
