using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kist.Formats;

public static partial class StrictJson
{
    /// <summary>Reads UTF-8 text as a type of a generated context, whose options say how strict it is.</summary>
    /// <param name="utf8Json">The text.</param>
    /// <param name="type">What it must be.</param>
    /// <param name="maxBytes">Refused if longer than this.</param>
    /// <param name="structure">What it is, for the error.</param>
    /// <param name="isSecret">True if the error must not quote the text, as the library's messages do.</param>
    /// <exception cref="MalformedDataException">It is something else, or null, or too long.</exception>
    public static T Deserialize<T>(ReadOnlySpan<byte> utf8Json, JsonTypeInfo<T> type, int maxBytes, string structure, bool isSecret = false)
        where T : class
    {
        if (utf8Json.Length > maxBytes)
            throw new MalformedDataException(structure, -1, $"{utf8Json.Length} bytes are more than the limit of {maxBytes}");
        try
        {
            return JsonSerializer.Deserialize(utf8Json, type) ?? throw new MalformedDataException(structure, 0, "null");
        }
        catch (JsonException e) when (!isSecret)
        {
            throw new MalformedDataException(structure, e.BytePositionInLine ?? -1, e.Message.TrimEnd('.'), e);
        }
        catch (JsonException)
        {
            throw new MalformedDataException(structure, -1, "it is not the JSON that is expected");
        }
    }

    /// <summary>A member that is an object, or null if there is none.</summary>
    /// <exception cref="MalformedDataException">It is something else.</exception>
    public static JsonElement? OptionalObject(JsonElement json, string name, string structure) =>
        !TryGet(json, name, out var member) ? null
        : member.ValueKind == JsonValueKind.Object ? member
        : throw new MalformedDataException(structure, -1, $"\"{name}\" must be an object");

    /// <summary>A member that is an object.</summary>
    /// <exception cref="MalformedDataException">There is none, or it is something else.</exception>
    public static JsonElement RequiredObject(JsonElement json, string name, string structure) =>
        OptionalObject(json, name, structure) ?? throw new MalformedDataException(structure, -1, $"\"{name}\" is missing");

    /// <summary>The elements of a member that is a list; none if there is no such member.</summary>
    /// <exception cref="MalformedDataException">It is something else.</exception>
    public static IReadOnlyList<JsonElement> OptionalList(JsonElement json, string name, string structure) =>
        !TryGet(json, name, out var member) ? []
        : member.ValueKind == JsonValueKind.Array ? [.. member.EnumerateArray()]
        : throw new MalformedDataException(structure, -1, $"\"{name}\" must be a list");

    /// <summary>The elements of a member that is a list.</summary>
    /// <exception cref="MalformedDataException">There is none, or it is something else.</exception>
    public static IReadOnlyList<JsonElement> RequiredList(JsonElement json, string name, string structure) =>
        TryGet(json, name, out _) ? OptionalList(json, name, structure) : throw new MalformedDataException(structure, -1, $"\"{name}\" is missing");

    /// <summary>A member that is base64 in a string.</summary>
    /// <exception cref="MalformedDataException">There is none, or it is something else.</exception>
    public static byte[] RequiredBase64(JsonElement json, string name, string structure) =>
        TryGet(json, name, out var member) ? Base64(member, name, structure) : throw new MalformedDataException(structure, -1, $"\"{name}\" is missing");

    /// <summary>The bytes of a value that is base64 in a string.</summary>
    /// <exception cref="MalformedDataException">It is something else.</exception>
    public static byte[] Base64(JsonElement value, string name, string structure) =>
        value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out var bytes)
            ? bytes
            : throw new MalformedDataException(structure, -1, $"\"{name}\" is no base64");

    private static bool TryGet(JsonElement json, string name, out JsonElement member)
    {
        member = default;
        return json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out member);
    }
}
