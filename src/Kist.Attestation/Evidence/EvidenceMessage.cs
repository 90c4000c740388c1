using System.Buffers.Text;
using System.Text.Json;

namespace Kist.Attestation;

/// <summary>Finds evidence inside the messages of the key broker protocol and of the attestation service.</summary>
internal static class EvidenceMessage
{
    /// <summary>
    /// Takes one layer off: the protocol's Attestation ("tee-evidence"), its evidence ("primary_evidence"), an attestation
    /// request ("verification_requests", whose first counts), or an object with "tee" and "evidence" as base64url or JSON. Null if
    /// it is none of these.
    /// </summary>
    /// <returns>The layer's name, what is in it, and the TEE if the layer says it.</returns>
    public static (string Name, JsonElement Inner, string? Tee)? Unwrap(JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object)
            return null;
        if (message.TryGetProperty("tee-evidence", out var attestation))
            return ("KBS attestation", attestation, null);
        if (message.TryGetProperty("primary_evidence", out var primary))
            return (HasAdditional(message) ? "KBS evidence (its additional evidence is not judged with it)" : "KBS evidence", primary, null);
        if (message.TryGetProperty("verification_requests", out var requests) && requests.ValueKind == JsonValueKind.Array && requests.GetArrayLength() > 0)
            return ("attestation request", requests[0], null);
        if (!message.TryGetProperty("evidence", out var evidence) || !message.TryGetProperty("tee", out var tee) || tee.ValueKind != JsonValueKind.String)
            return null;
        return evidence.ValueKind == JsonValueKind.String
            ? Decode(evidence) is { } decoded ? ("attestation request's evidence", decoded, tee.GetString()) : null
            : ("attestation request's evidence", evidence, tee.GetString());
    }

    // A JSON text of devices' evidence by TEE; the broker judges each, a single verdict is of one.
    private static bool HasAdditional(JsonElement message) =>
        message.TryGetProperty("additional_evidence", out var more) && more.ValueKind == JsonValueKind.String
        && !(more.ValueEquals("") || more.ValueEquals("{}") || more.ValueEquals("null"));

    /// <summary>JSON in base64url, with or without padding; null if it is not that.</summary>
    private static JsonElement? Decode(JsonElement text)
    {
        try
        {
            using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(text.GetString()!.TrimEnd('=')));
            return document.RootElement.Clone();
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
