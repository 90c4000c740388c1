using System.Collections.Immutable;

namespace Kist.Attestation.Nitro;

/// <summary>
/// The attestation document of an AWS Nitro enclave: a COSE_Sign1 (ES384) over a CBOR map (AWS Nitro Enclaves NSM API,
/// docs/attestation_process.md section 2.2).
/// <code>
/// member       type            limits
/// module_id    text            not empty
/// digest       text            "SHA384"
/// timestamp    unsigned        milliseconds of the Unix epoch, not 0
/// pcrs         {unsigned: bytes}  1–32 entries, index 0–31, 32, 48 or 64 bytes
/// certificate  bytes           DER of the key that signed, 1–1024
/// cabundle     [bytes]         DER, root first, each 1–1024
/// public_key   bytes or null   1–1024
/// user_data    bytes or null   0–512
/// nonce        bytes or null   0–512
/// </code>
/// </summary>
public sealed record NitroDocument
{
    /// <summary>module_id: instance and enclave.</summary>
    public required string ModuleId { get; init; }

    /// <summary>digest: the hash of the registers.</summary>
    public required string Digest { get; init; }

    /// <summary>timestamp: when the document was made.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>pcrs, by index.</summary>
    public required ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> Pcrs { get; init; }

    /// <summary>certificate, DER.</summary>
    public required ReadOnlyMemory<byte> Certificate { get; init; }

    /// <summary>cabundle, DER, root first.</summary>
    public required ImmutableArray<ReadOnlyMemory<byte>> CaBundle { get; init; }

    /// <summary>public_key; null if the enclave gave none.</summary>
    public ReadOnlyMemory<byte>? PublicKey { get; init; }

    /// <summary>user_data; null if the enclave gave none.</summary>
    public ReadOnlyMemory<byte>? UserData { get; init; }

    /// <summary>nonce; null if the enclave gave none.</summary>
    public ReadOnlyMemory<byte>? Nonce { get; init; }

    /// <summary>True if PCR 0 to 2 are all zero, as in an enclave that was started in debug mode.</summary>
    public bool IsDebug => Enumerable.Range(0, 3).All(i => !Pcrs.TryGetValue(i, out var value) || value.Span.IndexOfAnyExcept((byte)0) < 0);
}
