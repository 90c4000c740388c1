using System.Text.Json;

namespace Kist.Attestation;

/// <summary>
/// A piece of evidence of a known TEE, in one of two forms: the vendor's own bytes (a quote, a report, a token), or the
/// JSON that guests send to a key broker.
/// </summary>
public sealed record Evidence
{
    /// <summary>The TEE's name on the wire: sgx, tdx, snp, …</summary>
    public required string Tee { get; init; }

    /// <summary>The vendor's own bytes. Empty where <see cref="Json"/> is used.</summary>
    public ReadOnlyMemory<byte> Bytes { get; init; }

    /// <summary>The evidence as JSON in Trustee's shape. Null where <see cref="Bytes"/> is used.</summary>
    public JsonElement? Json { get; init; }

    /// <summary>An event log given beside <see cref="Bytes"/>; empty if there is none.</summary>
    public ReadOnlyMemory<byte> EventLog { get; init; }

    /// <summary>Certificates given beside <see cref="Bytes"/> (PEM or DER, leaf first); empty if there are none.</summary>
    public ReadOnlyMemory<byte> Certificates { get; init; }
}
