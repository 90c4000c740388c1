using Kist.Host;

namespace Kist.Kubernetes;

/// <summary>A text whose parts are known before a pod runs, or only by their pattern.</summary>
sealed record RuntimeText
{
    private readonly IReadOnlyList<(string Text, string? Example)> _parts;

    private RuntimeText(IReadOnlyList<(string, string?)> parts, bool isSecret) => (_parts, IsSecret) = (parts, isSecret);

    public static RuntimeText Empty { get; } = new([], false);

    /// <summary>True if it must not be readable in a policy.</summary>
    public bool IsSecret { get; }

    /// <summary>The text, if all of it is known; else null.</summary>
    public string? Known => _parts.All(p => p.Example is null) ? string.Concat(_parts.Select(p => p.Text)) : null;

    public static RuntimeText Literal(string text) => new([(text, null)], false);

    public static RuntimeText Secret(string text) => new([(text, null)], true);

    /// <summary>A text that matches a pattern, not anchored.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="example">A text that matches.</param>
    public static RuntimeText Pattern(string pattern, string example) => new([(pattern, example)], false);

    public RuntimeText Append(RuntimeText more) => new([.. _parts, .. more._parts], IsSecret || more.IsSecret);

    /// <summary>What a policy says of it: the text, a digest of a secret, or a pattern.</summary>
    public PinnedText ToPinned(bool isRequired = true)
    {
        if (Known is { } text)
        {
            return IsSecret ? PinnedText.Secret(text)
                : isRequired ? PinnedText.Exactly(text)
                : PinnedText.Pattern(text, "", isRequired, text);
        }

        // A secret beside a part that is not known yet: what the policy shows of it is nothing.
        return PinnedText.Pattern("", string.Concat(_parts.Select(p => p.Example is not null ? $"(?:{p.Text})" : IsSecret ? ".*" : PinnedText.Quote(p.Text))), isRequired,
            string.Concat(_parts.Select(p => p.Example ?? p.Text)));
    }
}
