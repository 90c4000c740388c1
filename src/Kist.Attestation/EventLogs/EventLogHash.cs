using System.Security.Cryptography;

namespace Kist.Attestation.EventLogs;

/// <summary>Hash algorithms of a log's banks, by TPM_ALG_ID (TCG Algorithm Registry, table 3).</summary>
public enum EventLogHash
{
    /// <summary>SHA-1. Read, replayed, and never relied on.</summary>
    Sha1 = 0x0004,

    /// <summary>SHA-256.</summary>
    Sha256 = 0x000b,

    /// <summary>SHA-384.</summary>
    Sha384 = 0x000c,

    /// <summary>SHA-512.</summary>
    Sha512 = 0x000d,

    /// <summary>SM3-256. Read, and not replayed.</summary>
    Sm3 = 0x0012,
}

internal static class EventLogHashes
{
    /// <summary>Size of a digest, or 0 for an algorithm that is not known.</summary>
    public static int SizeOf(EventLogHash hash) => hash switch
    {
        EventLogHash.Sha1 => 20,
        EventLogHash.Sha256 or EventLogHash.Sm3 => 32,
        EventLogHash.Sha384 => 48,
        EventLogHash.Sha512 => 64,
        _ => 0,
    };

    public static string NameOf(EventLogHash hash) => hash switch
    {
        EventLogHash.Sha1 => "SHA-1",
        EventLogHash.Sha256 => "SHA-256",
        EventLogHash.Sha384 => "SHA-384",
        EventLogHash.Sha512 => "SHA-512",
        EventLogHash.Sm3 => "SM3-256",
        _ => $"0x{(int)hash:x4}",
    };

    /// <summary>Hashes with any but SM3.</summary>
    /// <exception cref="NotSupportedException">The algorithm cannot be computed here.</exception>
    public static byte[] Compute(EventLogHash hash, ReadOnlySpan<byte> data) => hash switch
    {
#pragma warning disable CA5350 // Old TPM banks are SHA-1; no verdict rests on them.
        EventLogHash.Sha1 => SHA1.HashData(data),
#pragma warning restore CA5350
        EventLogHash.Sha256 => SHA256.HashData(data),
        EventLogHash.Sha384 => SHA384.HashData(data),
        EventLogHash.Sha512 => SHA512.HashData(data),
        _ => throw new NotSupportedException($"{NameOf(hash)} cannot be computed"),
    };
}
