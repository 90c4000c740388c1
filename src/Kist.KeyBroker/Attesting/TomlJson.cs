using System.Text.Json;
using Kist.Formats;
using Tomlyn;
using Tomlyn.Model;
using Tomlyn.Serialization;

namespace Kist.KeyBroker.Attesting;

/// <summary>TOML documents, read and written as JSON for policies.</summary>
static class TomlJson
{
    /// <summary>Parses a document.</summary>
    /// <exception cref="MalformedDataException">It is not TOML.</exception>
    public static TomlTable Parse(string text, string structure)
    {
        try
        {
            return TomlSerializer.Deserialize(text, TomlTableContext.Default.TomlTable)
                ?? throw new MalformedDataException(structure, -1, "it is empty");
        }
        catch (TomlException e)
        {
            throw new MalformedDataException(structure, -1, $"it is not TOML: {e.Message}", e);
        }
    }

    /// <summary>Writes a value of a document; dates are written as text.</summary>
    public static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case TomlTable table:
                writer.WriteStartObject();
                foreach (var (name, member) in table)
                {
                    writer.WritePropertyName(name);
                    Write(writer, member);
                }

                writer.WriteEndObject();
                break;
            case TomlArray array:
                WriteAll(writer, array);
                break;
            case TomlTableArray array:
                WriteAll(writer, array);
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case long number:
                writer.WriteNumberValue(number);
                break;
            case double number when double.IsFinite(number):
                writer.WriteNumberValue(number);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case null:
                writer.WriteNullValue();
                break;
            default:
                writer.WriteStringValue(value.ToString());
                break;
        }
    }

    private static void WriteAll(Utf8JsonWriter writer, IEnumerable<object?> items)
    {
        writer.WriteStartArray();
        foreach (var item in items)
            Write(writer, item);
        writer.WriteEndArray();
    }
}

/// <summary>The deserialisation code, generated at build time.</summary>
[TomlSerializable(typeof(TomlTable))]
internal sealed partial class TomlTableContext : TomlSerializerContext;
