using System.Collections.Frozen;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Snp;

/// <summary>
/// An SNP policy in a bundle. Every member is written; one that is missing or not known is refused:
/// <code>
/// { "maximumVmpl": 0 | null, "allowMigrationAgent", "allowProvisionalFirmware", "requiredMitigations": 0,
///   "idKeyDigests": […] | null, "authorKeyDigests": […] | null, "cloudProviders": […] | null }
/// </code>
/// </summary>
internal static class SnpPolicyJson
{
    private const string Structure = "SNP policy";
    private const int MemberCount = 7;
    private const int MaxItems = 256;

    public static void Write(Utf8JsonWriter writer, SnpPolicy policy)
    {
        writer.WriteStartObject();
        if (policy.MaximumVmpl is { } vmpl)
            writer.WriteNumber("maximumVmpl", vmpl);
        else
            writer.WriteNull("maximumVmpl");
        writer.WriteBoolean("allowMigrationAgent", policy.AllowMigrationAgent);
        writer.WriteBoolean("allowProvisionalFirmware", policy.AllowProvisionalFirmware);
        writer.WriteNumber("requiredMitigations", policy.RequiredMitigations);
        WriteTexts(writer, "idKeyDigests", policy.IdKeyDigests);
        WriteTexts(writer, "authorKeyDigests", policy.AuthorKeyDigests);
        WriteTexts(writer, "cloudProviders", policy.CloudProviders);
        writer.WriteEndObject();
    }

    public static SnpPolicy Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || json.GetPropertyCount() != MemberCount)
            throw new MalformedDataException(Structure, -1, $"it is not an object of {MemberCount} members");
        return new SnpPolicy
        {
            MaximumVmpl = IsNull(json, "maximumVmpl") ? null : ReadVmpl(json),
            AllowMigrationAgent = ReadFlag(json, "allowMigrationAgent"),
            AllowProvisionalFirmware = ReadFlag(json, "allowProvisionalFirmware"),
            RequiredMitigations = EvidenceJson.RequireUInt64(json, "requiredMitigations", Structure),
            IdKeyDigests = ReadTexts(json, "idKeyDigests"),
            AuthorKeyDigests = ReadTexts(json, "authorKeyDigests"),
            CloudProviders = ReadTexts(json, "cloudProviders"),
        };
    }

    private static int ReadVmpl(JsonElement json) => EvidenceJson.RequireUInt64(json, "maximumVmpl", Structure) is var number and <= 3
        ? (int)number
        : throw new MalformedDataException(Structure, -1, "member maximumVmpl is not a number from 0 to 3");

    // Null is no rule; a member that is missing must not become none.
    private static bool IsNull(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Null;

    private static bool ReadFlag(JsonElement json, string name) => EvidenceJson.Require(json, name, Structure).ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new MalformedDataException(Structure, -1, $"member {name} is neither true nor false"),
    };

    private static FrozenSet<string>? ReadTexts(JsonElement json, string name)
    {
        if (IsNull(json, name))
            return null;
        var value = EvidenceJson.Require(json, name, Structure);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > MaxItems || value.EnumerateArray().Any(v => v.ValueKind != JsonValueKind.String))
            throw new MalformedDataException(Structure, -1, $"member {name} is not an array of at most {MaxItems} texts");
        return value.EnumerateArray().Select(v => v.GetString()!).ToFrozenSet(StringComparer.Ordinal);
    }

    private static void WriteTexts(Utf8JsonWriter writer, string name, FrozenSet<string>? texts)
    {
        if (texts is null)
        {
            writer.WriteNull(name);
            return;
        }

        writer.WriteStartArray(name);
        foreach (var text in texts.Order(StringComparer.Ordinal))
            writer.WriteStringValue(text);
        writer.WriteEndArray();
    }
}
