using System.Text.Json;
using System.Text.RegularExpressions;

namespace Kist.Host;

/// <summary>A text that a policy allows: exactly one, or those that a pattern (RE2, anchored) matches.</summary>
/// <param name="Text">The text, or the pattern.</param>
/// <param name="IsPattern">True for a pattern.</param>
/// <param name="IsRequired">True if something that matches must be there.</param>
public sealed record PinnedText(string Text, bool IsPattern, bool IsRequired)
{
    /// <summary>Exactly this text, and it must be there.</summary>
    public static PinnedText Exactly(string text) => new(text, false, true);

    /// <summary>A text of known beginning whose rest is known only when it runs.</summary>
    /// <param name="prefix">The beginning.</param>
    /// <param name="rest">Pattern of the rest, not anchored.</param>
    /// <param name="isRequired">True if such a text must be there.</param>
    public static PinnedText Pattern(string prefix, string rest, bool isRequired) => new($"^{Quote(prefix)}(?:{rest})$", true, isRequired);

    /// <summary>The pattern that matches exactly a text, not anchored; both .NET and RE2 read it.</summary>
    public static string Quote(string text) => Regex.Escape(text).Replace("\\ ", " ", StringComparison.Ordinal).Replace("\\#", "#", StringComparison.Ordinal);

    internal void Write(Utf8JsonWriter json)
    {
        if (!IsPattern)
        {
            json.WriteStringValue(Text);
            return;
        }

        json.WriteStartObject();
        json.WriteString("pattern", Text);
        json.WriteBoolean("required", IsRequired);
        json.WriteEndObject();
    }
}
