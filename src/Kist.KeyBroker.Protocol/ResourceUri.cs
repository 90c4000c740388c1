using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Kist.Formats;

namespace Kist.KeyBroker.Protocol;

/// <summary>
/// The name of a secret: <c>kbs:///repository/type/tag</c>. The three parts hold letters, digits, '_', '-' and '.', and
/// do not begin with a dot. The authority is empty: which broker is asked is configuration, not part of the name.
/// </summary>
public sealed partial record ResourceUri
{
    /// <summary>Longest part in characters.</summary>
    public const int MaxPartLength = 255;

    private const string Scheme = "kbs:///";

    private ResourceUri(string repository, string type, string tag)
    {
        Repository = repository;
        Type = type;
        Tag = tag;
    }

    /// <summary>The first part.</summary>
    public string Repository { get; }

    /// <summary>The second part.</summary>
    public string Type { get; }

    /// <summary>The third part.</summary>
    public string Tag { get; }

    /// <summary>"repository/type/tag".</summary>
    public string Path => $"{Repository}/{Type}/{Tag}";

    /// <summary>Parses the URI, or "repository/type/tag" alone.</summary>
    /// <exception cref="MalformedDataException">Not such a name.</exception>
    public static ResourceUri Parse(string text) =>
        TryParse(text, out var uri)
            ? uri
            : throw new MalformedDataException(
                "resource URI", -1, "it must be kbs:///repository/type/tag, each part of letters, digits, '_', '-' and '.', not beginning with a dot");

    /// <summary>Parses as <see cref="Parse"/> does.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ResourceUri? uri)
    {
        uri = null;
        if (text is null || text.Length > Scheme.Length + (3 * MaxPartLength) + 2)
            return false;
        var parts = (text.StartsWith(Scheme, StringComparison.Ordinal) ? text[Scheme.Length..] : text).Split('/');
        if (parts.Length != 3 || !parts.All(IsPart))
            return false;
        uri = new ResourceUri(parts[0], parts[1], parts[2]);
        return true;
    }

    /// <summary>True if <paramref name="text"/> may be one of the three parts.</summary>
    public static bool IsPart(string text) => text.Length <= MaxPartLength && PartPattern().IsMatch(text);

    /// <summary>The URI.</summary>
    public override string ToString() => Scheme + Path;

    [GeneratedRegex(@"\A[A-Za-z0-9_-][A-Za-z0-9_.-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex PartPattern();
}
