using Kist.Rego.Builtins;

namespace Kist.Rego;

/// <summary>YAML documents as values, by the rules of Go's yaml packages (YAML 1.1 with JSON's types).</summary>
public static class RegoYaml
{
    /// <summary>Reads one document; JSON is YAML, too.</summary>
    /// <exception cref="Formats.MalformedDataException">The text is not YAML, or expands beyond reason.</exception>
    public static RegoValue Read(string text) => YamlReading.Read(text);
}
