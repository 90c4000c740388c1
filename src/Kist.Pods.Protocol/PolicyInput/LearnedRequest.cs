using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Pods.Protocol;

/// <summary>A request that a guest in learn mode has seen: one line of its record.</summary>
/// <param name="Rule">The rule that was asked, such as "CreateContainerRequest".</param>
/// <param name="IsAllowed">True if the policy of its init-data allows it.</param>
/// <param name="Input">The rule's input object.</param>
public sealed record LearnedRequest(string Rule, bool IsAllowed, JsonElement Input)
{
    private const int MaxLineBytes = 1 << 20, MaxDepth = 32;
    private const string Structure = "record of requests";

    /// <summary>Writes a line, without its end.</summary>
    public static string Write(string rule, bool isAllowed, Action<Utf8JsonWriter> input)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("rule", rule);
            json.WriteBoolean("allowed", isAllowed);
            json.WriteStartObject("input");
            input(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="MalformedDataException">A line is none of a record.</exception>
    public static IReadOnlyList<LearnedRequest> ReadAll(string record) =>
        [.. record.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Read)];

    private static LearnedRequest Read(string line)
    {
        using var document = StrictJson.Parse(Encoding.UTF8.GetBytes(line), MaxLineBytes, Structure, MaxDepth);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("input", out var input) || input.ValueKind != JsonValueKind.Object
            || !root.TryGetProperty("allowed", out var allowed) || allowed.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            throw new MalformedDataException(Structure, -1, "a line has no \"rule\", \"allowed\" and \"input\"");
        }

        return new LearnedRequest(StrictJson.RequiredText(root, "rule", Structure), allowed.GetBoolean(), input.Clone());
    }
}
