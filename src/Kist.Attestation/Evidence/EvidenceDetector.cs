using System.Text;
using System.Text.Json;
using Kist.Attestation.Containers;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>Finds out what a file of evidence is: the TEE, and the form under any layers of text encoding.</summary>
public static class EvidenceDetector
{
    private const int MaxLayers = 6;

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>
    /// Recognises evidence in the vendor's own bytes, hexadecimal, base64, PEM or JSON, inside the messages in which guests and
    /// key brokers send it, inside certificates (RA-TLS), and in the framings of Open Enclave and dstack.
    /// </summary>
    /// <param name="file">The file as it is.</param>
    /// <param name="tee">The TEE's name where the caller knows it; null to find out.</param>
    /// <exception cref="MalformedDataException">Nothing that is known looks like this.</exception>
    public static DetectedEvidence Detect(ReadOnlyMemory<byte> file, string? tee = null)
    {
        if (file.Length > EvidenceLimits.Evidence)
            throw new MalformedDataException("evidence", -1, $"{file.Length} bytes, more than the limit of {EvidenceLimits.Evidence}");
        var layers = new List<string>();
        var data = OpenEnclaveFraming.WithoutComments(file);
        ReadOnlyMemory<byte> certificateKey = default, certificate = default;
        for (var i = 0; i <= MaxLayers; i++)
        {
            if (FromBytes(data, tee, layers) is { } found)
                return found with { CertificateKey = certificateKey, Certificate = certificate };
            if (FromJson(data, tee, layers) is { } json)
                return json with { CertificateKey = certificateKey, Certificate = certificate };
            if (EvidenceContainer.Open(data) is var (container, inner, key))
            {
                layers.Add(container);
                (certificateKey, certificate) = key.IsEmpty ? (certificateKey, certificate) : (key, data);
                data = inner;
                continue;
            }

            var (name, decoded) = TextEncoding.TryDecode(data.Span);
            if (decoded is null)
                break;
            layers.Add(name);
            data = decoded;
        }

        if (tee is not null && TeeVerifierTable.Find(tee) is not null)
            return new DetectedEvidence(new Evidence { Tee = tee, Bytes = data }, [.. layers, "bytes"]);
        throw new MalformedDataException(
            "evidence", 0, NotEvidence.Describe(file) ?? "this is no evidence that kist recognises; name the TEE with --tee if you know it");
    }

    private static DetectedEvidence? FromBytes(ReadOnlyMemory<byte> data, string? tee, List<string> layers)
    {
        foreach (var verifier in TeeVerifierTable.All)
        {
            if ((tee is null || tee == verifier.Tee) && verifier.RecognisesBytes(data.Span))
                return new DetectedEvidence(new Evidence { Tee = verifier.Tee, Bytes = data }, [.. layers, "bytes"]);
        }

        return null;
    }

    private static DetectedEvidence? FromJson(ReadOnlyMemory<byte> data, string? tee, List<string> layers)
    {
        if (TextEncoding.FirstCharacter(data.Span) is not ('{' or '['))
            return null;
        JsonElement root;
        try
        {
            using var document = JsonDocument.Parse(data, s_strict);
            root = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }

        return StrictJson.Guard("evidence", () => FromElement(root, tee, layers, MaxLayers));
    }

    private static DetectedEvidence? FromElement(JsonElement element, string? tee, List<string> layers, int depth)
    {
        foreach (var verifier in TeeVerifierTable.All)
        {
            if ((tee is null || tee == verifier.Tee) && verifier.RecognisesJson(element))
                return new DetectedEvidence(new Evidence { Tee = verifier.Tee, Json = element }, [.. layers, "JSON"]);
        }

        if (depth == 0 || EvidenceMessage.Unwrap(element) is not var (name, inner, innerTee))
            return null;
        layers.Add(name);
        return FromElement(inner, tee ?? innerTee, layers, depth - 1);
    }
}
