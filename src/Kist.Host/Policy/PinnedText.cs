using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Kist.Host;

/// <summary>
/// A text that a policy allows: exactly one, one of which the policy shows only the digest, or those that a pattern (RE2,
/// anchored) matches.
/// </summary>
public sealed record PinnedText
{
    private const string PatternMember = "pattern", DigestMember = "sha256";

    private readonly string _value;
    private readonly string? _member;

    private PinnedText(string value, string? member, bool isRequired, string example) =>
        (_value, _member, IsRequired, Example) = (value, member, isRequired, example);

    /// <summary>True if something that matches must be there.</summary>
    public bool IsRequired { get; }

    /// <summary>A text that is allowed; of a secret, the secret.</summary>
    public string Example { get; }

    /// <summary>Exactly this text, and it must be there.</summary>
    public static PinnedText Exactly(string text) => new(text, null, true, text);

    /// <summary>Exactly this text, of which the policy shows only the SHA-256 digest.</summary>
    public static PinnedText Secret(string text) => new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), DigestMember, true, text);

    /// <summary>A text of known beginning whose rest is known only when it runs.</summary>
    /// <param name="prefix">The beginning.</param>
    /// <param name="rest">Pattern of the rest, not anchored.</param>
    /// <param name="isRequired">True if such a text must be there.</param>
    /// <param name="example">A text that matches.</param>
    public static PinnedText Pattern(string prefix, string rest, bool isRequired, string example) =>
        new($"^{Quote(prefix)}(?:{rest})$", PatternMember, isRequired, example);

    /// <summary>The pattern that matches exactly a text, not anchored; both .NET and RE2 read it.</summary>
    public static string Quote(string text) => Regex.Escape(text).Replace("\\ ", " ", StringComparison.Ordinal).Replace("\\#", "#", StringComparison.Ordinal);

    internal void Write(Utf8JsonWriter json)
    {
        if (_member is null)
        {
            json.WriteStringValue(_value);
            return;
        }

        json.WriteStartObject();
        json.WriteString(_member, _value);
        json.WriteBoolean("required", IsRequired);
        json.WriteEndObject();
    }
}
