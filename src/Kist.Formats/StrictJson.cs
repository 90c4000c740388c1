using System.Text.Json;

namespace Kist.Formats;

/// <summary>
/// JSON as it must be read where trust depends on it: bounded in size and depth, without comments or trailing commas,
/// and with no member's name twice, since two readers of such a document may see two different things.
/// </summary>
public static partial class StrictJson
{
    /// <summary>Deepest nesting unless the caller says otherwise.</summary>
    public const int DefaultMaxDepth = 64;

    /// <summary>Parses UTF-8 text into a document that owns a copy of it.</summary>
    /// <param name="utf8Json">The text.</param>
    /// <param name="maxBytes">Refused if longer than this, before it is copied.</param>
    /// <param name="structure">What it is, for the error.</param>
    /// <param name="maxDepth">Deepest nesting of arrays and objects.</param>
    /// <exception cref="MalformedDataException">Not such JSON, or beyond a limit.</exception>
    public static JsonDocument Parse(ReadOnlySpan<byte> utf8Json, int maxBytes, string structure, int maxDepth = DefaultMaxDepth)
    {
        if (utf8Json.Length > maxBytes)
            throw new MalformedDataException(structure, -1, $"{utf8Json.Length} bytes are more than the limit of {maxBytes}");
        try
        {
            return JsonDocument.Parse(
                utf8Json.ToArray(), new JsonDocumentOptions { MaxDepth = maxDepth, AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(structure, e.BytePositionInLine ?? -1, "not valid JSON, or a member's name occurs twice", e);
        }
        catch (InvalidOperationException e)
        {
            // What the reader throws, while it looks for duplicates, for a name that is not Unicode text.
            throw new MalformedDataException(structure, -1, "a name holds a lone surrogate or invalid UTF-8", e);
        }
    }

    /// <summary>Parses UTF-8 text whose value must be an object, as <see cref="Parse"/> does.</summary>
    /// <exception cref="MalformedDataException">Not such JSON, or beyond a limit.</exception>
    public static JsonDocument ParseObject(ReadOnlySpan<byte> utf8Json, int maxBytes, string structure, int maxDepth = DefaultMaxDepth)
    {
        var document = Parse(utf8Json, maxBytes, structure, maxDepth);
        if (document.RootElement.ValueKind == JsonValueKind.Object)
            return document;
        document.Dispose();
        throw new MalformedDataException(structure, -1, "it must be a JSON object");
    }

    /// <summary>
    /// Runs <paramref name="read"/> and reports invalid text and syntax as malformed data. System.Text.Json accepts documents whose
    /// texts are no valid Unicode (a lone surrogate in an escape, a byte that is no UTF-8), and throws InvalidOperationException
    /// once such a text is read; for input of strangers that is malformed data like any other.
    /// </summary>
    /// <param name="structure">What it is, for the error.</param>
    /// <param name="read">Reads the document.</param>
    /// <exception cref="MalformedDataException">The document does not follow its format.</exception>
    public static T Guard<T>(string structure, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(structure, e.BytePositionInLine ?? -1, "it is not JSON", e);
        }
        catch (InvalidOperationException e)
        {
            throw new MalformedDataException(structure, -1, "a text in it is not valid Unicode, or a value is of another kind", e);
        }
    }

    /// <summary>A string member's text, or null if there is no such member.</summary>
    /// <exception cref="MalformedDataException">The member is not a string, or not Unicode text.</exception>
    public static string? OptionalText(JsonElement json, string name, string structure)
    {
        if (!json.TryGetProperty(name, out var member))
            return null;
        if (member.ValueKind != JsonValueKind.String)
            throw new MalformedDataException(structure, -1, $"\"{name}\" must be a string");
        try
        {
            return member.GetString();
        }
        catch (InvalidOperationException e)
        {
            throw new MalformedDataException(structure, -1, $"\"{name}\" is not Unicode text", e);
        }
    }

    /// <summary>A string member's text.</summary>
    /// <exception cref="MalformedDataException">There is no such member, or it is not a string of Unicode text.</exception>
    public static string RequiredText(JsonElement json, string name, string structure) =>
        OptionalText(json, name, structure) ?? throw new MalformedDataException(structure, -1, $"\"{name}\" is missing");
}
