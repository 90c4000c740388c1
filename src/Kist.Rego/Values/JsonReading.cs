using System.Text.Json;
using Kist.Formats;

namespace Kist.Rego;

/// <summary>JSON to values.</summary>
static class JsonReading
{
    private const int MaxDepth = 512;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth };

    public static RegoValue Read(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, Options);
        try
        {
            if (!reader.Read())
                throw new MalformedDataException("JSON document", 0, "it is empty");
            var value = ReadValue(ref reader);
            if (reader.Read())
                throw new MalformedDataException("JSON document", reader.TokenStartIndex, "something follows the document");
            return value;
        }
        catch (JsonException e)
        {
            throw new MalformedDataException("JSON document", reader.BytesConsumed, e.Message, e);
        }
        catch (InvalidOperationException e)
        {
            // Thrown for strings that are not UTF-8 or hold half of a surrogate pair.
            throw new MalformedDataException("JSON document", reader.TokenStartIndex, e.Message, e);
        }
    }

    public static RegoValue Convert(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.True => RegoBoolean.True,
        JsonValueKind.False => RegoBoolean.False,
        JsonValueKind.Null => RegoNull.Instance,
        JsonValueKind.String => new RegoString(element.GetString()!),
        JsonValueKind.Number => Number(element.GetRawText(), 0),
        JsonValueKind.Array => ConvertArray(element),
        JsonValueKind.Object => ConvertObject(element),
        _ => throw new MalformedDataException("JSON element", -1, "it is undefined"),
    };

    private static RegoArray ConvertArray(JsonElement element)
    {
        var items = new RegoValue[element.GetArrayLength()];
        var i = 0;
        foreach (var item in element.EnumerateArray())
            items[i++] = Convert(item);
        return RegoArray.Of(items);
    }

    private static RegoObject ConvertObject(JsonElement element)
    {
        var builder = new RegoObjectBuilder();
        foreach (var property in element.EnumerateObject())
            builder[new RegoString(property.Name)] = Convert(property.Value);
        return builder.ToObject();
    }

    private static RegoValue ReadValue(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.True => RegoBoolean.True,
        JsonTokenType.False => RegoBoolean.False,
        JsonTokenType.Null => RegoNull.Instance,
        JsonTokenType.String => new RegoString(reader.GetString()!),
        JsonTokenType.Number => Number(System.Text.Encoding.ASCII.GetString(reader.ValueSpan), reader.TokenStartIndex),
        JsonTokenType.StartArray => ReadArray(ref reader),
        JsonTokenType.StartObject => ReadObject(ref reader),
        _ => throw new MalformedDataException("JSON document", reader.TokenStartIndex, "unexpected token"),
    };

    private static RegoArray ReadArray(ref Utf8JsonReader reader)
    {
        var items = new List<RegoValue>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            items.Add(ReadValue(ref reader));
        return RegoArray.From(items);
    }

    private static RegoObject ReadObject(ref Utf8JsonReader reader)
    {
        var builder = new RegoObjectBuilder();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var key = new RegoString(reader.GetString()!);
            reader.Read();
            builder[key] = ReadValue(ref reader);
        }

        return builder.ToObject();
    }

    private static RegoNumber Number(string text, long offset) =>
        RegoNumber.TryParse(text) ?? throw new MalformedDataException("JSON document", offset, "the number is too large");
}
