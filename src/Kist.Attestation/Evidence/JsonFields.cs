using System.Text.Json;

namespace Kist.Attestation;

/// <summary>Lists the values of a JSON document by their paths.</summary>
internal static class JsonFields
{
    private const int MaxFields = 20_000;
    private const int MaxValueLength = 4096;

    /// <summary>Every value, in the document's order; documents inside texts (as collateral wrappers have them) are opened too.</summary>
    public static IReadOnlyList<EvidenceField> List(JsonElement root)
    {
        var fields = new List<EvidenceField>();
        Add(root, "", fields, opened: false);
        return fields;
    }

    private static void Add(JsonElement element, string path, List<EvidenceField> fields, bool opened)
    {
        if (fields.Count >= MaxFields)
            return;
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                    Add(member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}", fields, opened);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray())
                    Add(item, $"{path}.{index++}", fields, opened);
                break;
            case JsonValueKind.String when !opened && Open(element.GetString()!) is { } inner:
                Add(inner, path, fields, opened: true);
                break;
            default:
                var text = element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText();
                fields.Add(new EvidenceField(path, -1, -1, text.Length <= MaxValueLength ? text : $"{text[..MaxValueLength]}…"));
                break;
        }
    }

    private static JsonElement? Open(string text)
    {
        if (text.Length < 2 || text[0] != '{')
            return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
