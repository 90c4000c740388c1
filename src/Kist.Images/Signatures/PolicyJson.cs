using System.Text.Json;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>Reading helpers for policy files.</summary>
static class PolicyJson
{
    public const string Structure = "policy.json";

    public static MalformedDataException Malformed(string reason) => new(Structure, -1, reason);

    public static IEnumerable<JsonProperty> Members(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object ? json.EnumerateObject() : throw Malformed("an object is expected");

    public static void Only(JsonElement json, params ReadOnlySpan<string> names)
    {
        foreach (var member in Members(json))
        {
            if (!names.Contains(member.Name))
                throw Malformed($"the member '{member.Name}' is not known");
        }
    }

    public static string? Text(JsonElement json, string name) => StrictJson.OptionalText(json, name, Structure);

    public static IReadOnlyList<string> Texts(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var list))
            return [];
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
            throw Malformed($"{name} must be a list that is not empty");
        return [.. list.EnumerateArray().Select(e => e.ValueKind == JsonValueKind.String ? e.GetString()! : throw Malformed($"{name} must hold text"))];
    }
}
