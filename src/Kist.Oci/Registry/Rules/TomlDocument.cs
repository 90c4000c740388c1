using System.Text;
using Kist.Formats;
using Tomlyn;
using Tomlyn.Model;
using Tomlyn.Parsing;
using Tomlyn.Serialization;

namespace Kist.Oci;

/// <summary>Reads configuration in TOML; keys that are defined twice are refused.</summary>
static class TomlDocument
{
    public static TomlTable Parse(ReadOnlySpan<byte> document, string structure)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(document);
            SyntaxParser.ParseStrict(text, structure, true);
            return TomlSerializer.Deserialize(text, RegistryTomlContext.Default.TomlTable) ?? [];
        }
        catch (Exception e) when (e is DecoderFallbackException or TomlException)
        {
            throw new MalformedDataException(structure, -1, e.Message.Split('\n')[0], e);
        }
    }

    public static string? Text(TomlTable table, string name, string structure) => !table.TryGetValue(name, out var value)
        ? null
        : value as string ?? throw new MalformedDataException(structure, -1, $"\"{name}\" is not a string");

    public static bool Flag(TomlTable table, string name, string structure) => table.TryGetValue(name, out var value)
        && (value is bool flag ? flag : throw new MalformedDataException(structure, -1, $"\"{name}\" is neither true nor false"));

    public static IEnumerable<TomlTable> Tables(TomlTable table, string name, string structure) => !table.TryGetValue(name, out var value)
        ? []
        : value as TomlTableArray ?? throw new MalformedDataException(structure, -1, $"\"{name}\" is not an array of tables");
}

[TomlSerializable(typeof(TomlTable))]
internal sealed partial class RegistryTomlContext : TomlSerializerContext;
