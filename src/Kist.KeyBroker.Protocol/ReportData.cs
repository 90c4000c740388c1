using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.KeyBroker.Protocol;

/// <summary>
/// The freshness value of a handshake: the digest of the canonical JSON of nonce and key, which the evidence must carry
/// as its report data. TEEs whose field is longer pad it with zeros.
/// </summary>
public static class ReportData
{
    /// <summary>The digest in the TEE's own evidence. SHA-384 unless the challenge selected another algorithm.</summary>
    /// <param name="nonce">The nonce as the challenge has it.</param>
    /// <param name="publicKey">The guest's key.</param>
    /// <param name="additionalEvidence">The devices' evidence as sent; it is bound even where it is empty.</param>
    /// <param name="algorithm">SHA-256, SHA-384 or SHA-512.</param>
    public static byte[] ForTee(string nonce, JsonWebKey publicKey, string additionalEvidence, HashAlgorithmName algorithm) =>
        CryptographicOperations.HashData(algorithm, Canonical(nonce, publicKey, additionalEvidence));

    /// <summary>The digest in the evidence of a device, which cannot bind itself.</summary>
    /// <inheritdoc cref="ForTee"/>
    public static byte[] ForDevice(string nonce, JsonWebKey publicKey, HashAlgorithmName algorithm) =>
        CryptographicOperations.HashData(algorithm, Canonical(nonce, publicKey, null));

    /// <summary>The algorithm that a challenge's "selected-hash-algorithm" names, or null for a name that is not known.</summary>
    public static HashAlgorithmName? AlgorithmOf(string? selected) => selected switch
    {
        null or "" or "sha384" => HashAlgorithmName.SHA384,
        "sha256" => HashAlgorithmName.SHA256,
        "sha512" => HashAlgorithmName.SHA512,
        _ => null,
    };

    private static byte[] Canonical(string nonce, JsonWebKey publicKey, string? additionalEvidence)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            if (additionalEvidence is not null)
                writer.WriteString("additional-evidence"u8, additionalEvidence);
            writer.WriteString("nonce"u8, nonce);
            writer.WritePropertyName("tee-pubkey"u8);
            publicKey.WriteTo(writer);
            writer.WriteEndObject();
        }

        return JsonCanonicalizer.Canonicalize(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }
}
