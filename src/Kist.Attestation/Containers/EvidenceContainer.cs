using System.Text.Json;

namespace Kist.Attestation.Containers;

/// <summary>Takes evidence out of what other programs put around it, besides encodings and protocol messages.</summary>
internal static class EvidenceContainer
{
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>One layer off; null if there is none that is known.</summary>
    public static (string Name, ReadOnlyMemory<byte> Inner, ReadOnlyMemory<byte> Key)? Open(ReadOnlyMemory<byte> data)
    {
        if (OpenEnclaveFraming.QuoteOf(data) is { IsEmpty: false } report)
            return ("Open Enclave report", report, default);
        if (CertificateEvidence.Find(data) is { } certificate)
            return ($"certificate ({certificate.Scheme})", certificate.Evidence, certificate.SubjectPublicKeyInfo);
        if (DstackAttestation.QuoteOf(data) is { IsEmpty: false } quote)
            return ("dstack attestation", quote, default);
        return Attestation(data) is { } text ? ("dstack JSON", text, default) : null;
    }

    // {"attestation": hexadecimal}, as dstack's guest agent answers.
    private static ReadOnlyMemory<byte>? Attestation(ReadOnlyMemory<byte> data)
    {
        if (TextEncoding.FirstCharacter(data.Span) != '{')
            return null;
        try
        {
            using var document = JsonDocument.Parse(data, s_strict);
            return document.RootElement.TryGetProperty("attestation", out var text) && text.ValueKind == JsonValueKind.String
                ? Convert.FromHexString(text.GetString()!)
                : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }
}
