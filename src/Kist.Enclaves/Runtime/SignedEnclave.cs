using System.Buffers.Binary;
using System.Security.Cryptography;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Formats;

namespace Kist.Enclaves.Runtime;

/// <summary>
/// What measuring and signing an enclave gave. At rest:
/// <code>
///    0    8  "KISTENCL"
///    8    4  version, 1                          little-endian
///   12   32  what it is for (<see cref="IdentityOf"/>)
///   44   32  MRENCLAVE
///   76 1808  SIGSTRUCT
/// 1884   32  HMAC-SHA256 of bytes 0 to 1883 under the cache's key
/// </code>
/// </summary>
/// <param name="MrEnclave">The measurement, 32 bytes.</param>
/// <param name="Sigstruct">Its signature.</param>
sealed record SignedEnclave(byte[] MrEnclave, Sigstruct Sigstruct)
{
    public const int IdentitySize = SHA256.HashSizeInBytes;
    public const int SizeAtRest = BodySize + HMACSHA256.HashSizeInBytes;

    private const string Name = "signed enclave";
    private const uint Version = 1;
    private const int IdentityAt = 12, MeasurementAt = 44, SigstructAt = 76;
    private const int BodySize = SigstructAt + Sigstruct.SizeInBytes;

    private static ReadOnlySpan<byte> Magic => "KISTENCL"u8;

    private static ReadOnlySpan<byte> Purpose => "kist signed enclave 1\0"u8;

    /// <summary>What decides on measurement and signature: host program, manifest, everything else that is signed, and the signer.</summary>
    /// <param name="program">The enclave host's program.</param>
    /// <param name="manifest">The manifest's bytes.</param>
    /// <param name="template">What will be signed, but for the measurement.</param>
    /// <param name="modulus">The signer's modulus.</param>
    public static byte[] IdentityOf(ReadOnlySpan<byte> program, ReadOnlySpan<byte> manifest, SigstructFields template, ReadOnlySpan<byte> modulus)
    {
        var material = (template with { EnclaveHash = new byte[SHA256.HashSizeInBytes] }).ToSignedBytes();
        return SHA256.HashData([.. Purpose, .. SHA256.HashData(program), .. SHA256.HashData(manifest), .. SHA256.HashData(material), .. SHA256.HashData(modulus)]);
    }

    public byte[] ToBytes(ReadOnlySpan<byte> identity, ReadOnlySpan<byte> key)
    {
        var bytes = new byte[SizeAtRest];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Version);
        identity.CopyTo(bytes.AsSpan(IdentityAt, IdentitySize));
        MrEnclave.CopyTo(bytes.AsSpan(MeasurementAt));
        Sigstruct.Bytes.CopyTo(bytes.AsSpan(SigstructAt));
        HMACSHA256.HashData(key, bytes.AsSpan(0, BodySize), bytes.AsSpan(BodySize));
        return bytes;
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote for the same identity, and checks all of it, the signature too.</summary>
    /// <param name="bytes">The record at rest.</param>
    /// <param name="identity">What it must be for.</param>
    /// <param name="modulus">Whose signature it must be.</param>
    /// <param name="key">The cache's key.</param>
    /// <exception cref="MalformedDataException">It was changed, or is another's.</exception>
    public static SignedEnclave Parse(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> identity, ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> key)
    {
        if (bytes.Length != SizeAtRest)
            throw new MalformedDataException(Name, -1, $"{bytes.Length} bytes, not {SizeAtRest}");
        if (!CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(key, bytes[..BodySize]), bytes[BodySize..]))
            throw new MalformedDataException(Name, BodySize, "it was changed");
        if (!bytes.StartsWith(Magic) || BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Version)
            throw new MalformedDataException(Name, 0, "its version is not known");
        if (!bytes.Slice(IdentityAt, IdentitySize).SequenceEqual(identity))
            throw new MalformedDataException(Name, IdentityAt, "it is another enclave's");
        var sigstruct = Sigstruct.Parse(bytes.Slice(SigstructAt, Sigstruct.SizeInBytes));
        var measurement = bytes.Slice(MeasurementAt, SHA256.HashSizeInBytes).ToArray();
        if (!sigstruct.EnclaveHash.SequenceEqual(measurement))
            throw new MalformedDataException(Name, MeasurementAt, "its signature is for another measurement");
        if (!sigstruct.MrSigner().AsSpan().SequenceEqual(EnclaveSigningKey.MrSignerOf(modulus)))
            throw new MalformedDataException(Name, SigstructAt, "it was signed by another key");
        return SigstructVerifier.FindDefect(sigstruct) is { } defect
            ? throw new MalformedDataException(Name, SigstructAt, defect) : new SignedEnclave(measurement, sigstruct);
    }
}
