using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Kist.Attestation.Sev;

/// <summary>
/// The launch measurement of SEV and SEV-ES (AMD 55766, SEV API, section 6.5.2): HMAC-SHA-256 under the transport integrity
/// key that the guest's owner sent, over 04h, API_MAJOR, API_MINOR, BUILD, POLICY (4), the launch digest (32) and MNONCE (16).
/// It is no signature: only the owner, who knows the key, can check it, and only while the guest waits for its secret.
/// </summary>
public static class SevLaunchMeasure
{
    /// <summary>Size of the measurement and of the launch digest, in bytes.</summary>
    public const int Size = 32;

    private const byte Context = 0x04;
    private const int KeySize = 16;
    private const int NonceSize = 16;

    /// <summary>Computes what the firmware must have measured.</summary>
    /// <param name="integrityKey">TIK, 16 bytes.</param>
    /// <param name="firmware">API_MAJOR, API_MINOR and BUILD of the firmware.</param>
    /// <param name="policy">The guest's POLICY.</param>
    /// <param name="launchDigest">The predicted launch digest, 32 bytes.</param>
    /// <param name="nonce">MNONCE, 16 bytes, as the firmware returned it.</param>
    public static byte[] Compute(
        ReadOnlySpan<byte> integrityKey, Version firmware, uint policy, ReadOnlySpan<byte> launchDigest, ReadOnlySpan<byte> nonce)
    {
        ArgumentNullException.ThrowIfNull(firmware);
        if (integrityKey.Length != KeySize || launchDigest.Length != Size || nonce.Length != NonceSize)
            throw new ArgumentException($"the key is {KeySize} bytes, the digest {Size} and the nonce {NonceSize}", nameof(integrityKey));
        Span<byte> input = stackalloc byte[8 + Size + NonceSize];
        (input[0], input[1], input[2], input[3]) = (Context, (byte)firmware.Major, (byte)firmware.Minor, (byte)firmware.Build);
        BinaryPrimitives.WriteUInt32LittleEndian(input[4..], policy);
        launchDigest.CopyTo(input[8..]);
        nonce.CopyTo(input[(8 + Size)..]);
        return HMACSHA256.HashData(integrityKey, input);
    }

    /// <summary>True if the firmware's measurement is the predicted one. In constant time.</summary>
    public static bool Verify(
        ReadOnlySpan<byte> measure, ReadOnlySpan<byte> integrityKey, Version firmware, uint policy, ReadOnlySpan<byte> launchDigest,
        ReadOnlySpan<byte> nonce) =>
        CryptographicOperations.FixedTimeEquals(measure, Compute(integrityKey, firmware, policy, launchDigest, nonce));
}
