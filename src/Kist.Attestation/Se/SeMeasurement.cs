using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Kist.Attestation.Se;

/// <summary>
/// The attestation measurement of IBM Secure Execution: HMAC-SHA-512 under a key that only the verifier and the ultravisor
/// know (s390-tools, pv crate, AttestationItems). Big-endian.
/// <code>
/// 64    page list digest                of the SE header
/// 64    address list digest             of the SE header
/// 64    tweak list digest               of the SE header
/// 16    tag                             of the SE header
/// 16    configuration unique id
/// 2     size of the user data
/// 2     zero
/// 4     size of the additional data
/// …     user data, up to 256
/// 16    nonce of the request
/// …     additional data
/// </code>
/// </summary>
public static class SeMeasurement
{
    /// <summary>Size of the measurement, and of its key, in bytes.</summary>
    public const int Size = 64;

    /// <summary>Size of the four header fields together, in bytes.</summary>
    public const int HeaderTagsSize = 208;

    /// <summary>Size of a configuration unique id and of a nonce, in bytes.</summary>
    public const int IdSize = 16;

    /// <summary>The most user data, in bytes.</summary>
    public const int UserDataLimit = 256;

    /// <summary>Computes what the ultravisor must have measured.</summary>
    /// <param name="key">The measurement key.</param>
    /// <param name="headerTags">The four fields of the SE header, 208 bytes.</param>
    /// <param name="configurationId">The configuration unique id, 16 bytes.</param>
    /// <param name="userData">What the guest chose; empty if nothing.</param>
    /// <param name="nonce">The request's nonce, 16 bytes; empty if it had none.</param>
    /// <param name="additionalData">What the firmware added; empty if nothing.</param>
    public static byte[] Compute(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> headerTags, ReadOnlySpan<byte> configurationId, ReadOnlySpan<byte> userData,
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> additionalData)
    {
        if (headerTags.Length != HeaderTagsSize || configurationId.Length != IdSize || userData.Length > UserDataLimit || nonce.Length is not (0 or IdSize))
            throw new ArgumentException("a field is not of its size", nameof(headerTags));
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, key);
        Span<byte> sizes = stackalloc byte[8];
        sizes.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(sizes, (ushort)userData.Length);
        BinaryPrimitives.WriteUInt32BigEndian(sizes[4..], (uint)additionalData.Length);
        hmac.AppendData(headerTags);
        hmac.AppendData(configurationId);
        hmac.AppendData(sizes);
        hmac.AppendData(userData);
        hmac.AppendData(nonce);
        hmac.AppendData(additionalData);
        return hmac.GetHashAndReset();
    }
}
