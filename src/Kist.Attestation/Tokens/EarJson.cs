using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Tokens;

/// <summary>
/// Attestation results as JSON. Reads the names that verifiers in use write (ear.status) and those of later drafts
/// (ear_status); writes the former.
/// </summary>
public static class EarJson
{
    private const string Structure = "EAR claims";
    private const int SubmodLimit = 256;
    private const int PolicyLimit = 64;

    /// <summary>Reads a claims set. Claims that are not known are ignored.</summary>
    /// <exception cref="MalformedDataException">A mandatory claim is missing, or a claim is of another kind.</exception>
    public static EarResult Parse(ReadOnlySpan<byte> utf8Json)
    {
        using var document = StrictJson.ParseObject(utf8Json, EvidenceLimits.SignedJson, Structure, maxDepth: 128);
        var root = document.RootElement;
        var verifier = Require(root, "ear.verifier-id");
        return new EarResult
        {
            Profile = EvidenceJson.RequireString(root, "eat_profile", Structure),
            IssuedAt = Time(EvidenceJson.Require(root, "iat", Structure)),
            Expires = EvidenceJson.Optional(root, "exp", Structure) is { } exp ? Time(exp) : null,
            Issuer = EvidenceJson.Optional(root, "iss", Structure) is null ? null : EvidenceJson.RequireString(root, "iss", Structure),
            Developer = EvidenceJson.RequireString(verifier, "developer", Structure),
            Build = EvidenceJson.RequireString(verifier, "build", Structure),
            RawEvidence = Find(root, "ear.raw-evidence") is { } raw ? Raw(raw) : default,
            Submods = ReadSubmods(EvidenceJson.Require(root, "submods", Structure)),
        };
    }

    /// <summary>Writes a claims set, compact, with the names in use.</summary>
    public static byte[] Write(EarResult result)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("eat_profile", result.Profile);
            writer.WriteNumber("iat", result.IssuedAt.ToUnixTimeSeconds());
            if (result.Expires is { } expires)
                writer.WriteNumber("exp", expires.ToUnixTimeSeconds());
            if (result.Issuer is not null)
                writer.WriteString("iss", result.Issuer);
            writer.WriteStartObject("ear.verifier-id");
            writer.WriteString("developer", result.Developer);
            writer.WriteString("build", result.Build);
            writer.WriteEndObject();
            if (!result.RawEvidence.IsEmpty)
                writer.WriteString("ear.raw-evidence", Base64Url.Encode(result.RawEvidence.Span));
            writer.WriteStartObject("submods");
            foreach (var (name, appraisal) in result.Submods)
                WriteSubmod(writer, name, appraisal);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static ImmutableSortedDictionary<string, EarAppraisal> ReadSubmods(JsonElement submods)
    {
        if (submods.ValueKind != JsonValueKind.Object)
            throw new MalformedDataException(Structure, -1, "submods is not an object");
        var result = ImmutableSortedDictionary.CreateBuilder<string, EarAppraisal>(StringComparer.Ordinal);
        foreach (var submod in submods.EnumerateObject())
        {
            if (result.Count == SubmodLimit)
                throw new MalformedDataException(Structure, -1, $"submods has more than {SubmodLimit} parts");
            result[submod.Name] = ReadSubmod(submod.Value);
        }

        return result.Count > 0 ? result.ToImmutable() : throw new MalformedDataException(Structure, -1, "submods is empty");
    }

    private static EarAppraisal ReadSubmod(JsonElement submod) => new()
    {
        Status = ReadStatus(Require(submod, "ear.status")),
        Vector = Find(submod, "ear.trustworthiness-vector") is { } vector ? ReadVector(vector) : ImmutableSortedDictionary<string, sbyte>.Empty,
        PolicyIds = ReadPolicies(submod),
        AnnotatedEvidence = Find(submod, "ear.veraison.annotated-evidence")?.Clone(),
    };

    private static EarTier ReadStatus(JsonElement status)
    {
        EarTier? tier = status.ValueKind switch
        {
            JsonValueKind.String => EarTiers.Parse(status.GetString()!),
            JsonValueKind.Number when status.TryGetInt32(out var number) && Enum.IsDefined((EarTier)number) => (EarTier)number,
            _ => null,
        };
        return tier ?? throw new MalformedDataException(Structure, -1, "ear.status is none of none, affirming, warning and contraindicated");
    }

    private static ImmutableSortedDictionary<string, sbyte> ReadVector(JsonElement vector)
    {
        if (vector.ValueKind != JsonValueKind.Object)
            throw new MalformedDataException(Structure, -1, "ear.trustworthiness-vector is not an object");
        var result = ImmutableSortedDictionary.CreateBuilder<string, sbyte>(StringComparer.Ordinal);
        foreach (var claim in vector.EnumerateObject())
        {
            if (!EarAppraisal.VectorNames.Contains(claim.Name) || claim.Value.ValueKind != JsonValueKind.Number || !claim.Value.TryGetSByte(out var value))
                throw new MalformedDataException(Structure, -1, $"the vector's claim {claim.Name} is not known, or not a number from -128 to 127");
            result[claim.Name] = value;
        }

        return result.ToImmutable();
    }

    private static ImmutableArray<string> ReadPolicies(JsonElement submod)
    {
        if (Find(submod, "ear.appraisal-policy-id") is { ValueKind: JsonValueKind.String } one)
            return [one.GetString()!];
        if (Find(submod, "ear.appraisal-policy-ids") is not { } many)
            return [];
        if (many.ValueKind != JsonValueKind.Array || many.GetArrayLength() > PolicyLimit || many.EnumerateArray().Any(p => p.ValueKind != JsonValueKind.String))
            throw new MalformedDataException(Structure, -1, "ear.appraisal-policy-ids is not a short array of strings");
        return [.. many.EnumerateArray().Select(p => p.GetString()!)];
    }

    private static void WriteSubmod(Utf8JsonWriter writer, string name, EarAppraisal appraisal)
    {
        writer.WriteStartObject(name);
        writer.WriteString("ear.status", appraisal.Status.Name());
        if (!appraisal.Vector.IsEmpty)
        {
            writer.WriteStartObject("ear.trustworthiness-vector");
            foreach (var (claim, value) in appraisal.Vector)
                writer.WriteNumber(claim, value);
            writer.WriteEndObject();
        }

        if (appraisal.PolicyIds is [var only])
        {
            writer.WriteString("ear.appraisal-policy-id", only);
        }
        else if (!appraisal.PolicyIds.IsEmpty)
        {
            writer.WriteStartArray("ear.appraisal-policy-ids");
            foreach (var id in appraisal.PolicyIds)
                writer.WriteStringValue(id);
            writer.WriteEndArray();
        }

        if (appraisal.AnnotatedEvidence is { } evidence)
        {
            writer.WritePropertyName("ear.veraison.annotated-evidence");
            evidence.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    // "ear.verifier-id" in tokens in use; "ear_verifier_id" in later drafts.
    private static JsonElement? Find(JsonElement parent, string name) =>
        EvidenceJson.Optional(parent, name, Structure) ?? EvidenceJson.Optional(parent, name.Replace('.', '_').Replace('-', '_'), Structure)
        ?? EvidenceJson.Optional(parent, name.Replace("ear.", "ear_", StringComparison.Ordinal), Structure);

    private static JsonElement Require(JsonElement parent, string name) =>
        Find(parent, name) ?? throw new MalformedDataException(Structure, -1, $"{name} is missing");

    private static DateTimeOffset Time(JsonElement value)
    {
        // The first second of the year 10000, beyond which there is no DateTimeOffset.
        const double end = 253_402_300_800;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is >= 0 and < end
            ? DateTimeOffset.FromUnixTimeSeconds((long)seconds)
            : throw new MalformedDataException(Structure, -1, "a time is not a number of seconds since 1970");
    }

    private static byte[] Raw(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? Base64Url.Decode(value.GetString()!.TrimEnd('='), EvidenceLimits.SignedJson, "ear.raw-evidence")
        : throw new MalformedDataException(Structure, -1, "ear.raw-evidence is not a string");
}
