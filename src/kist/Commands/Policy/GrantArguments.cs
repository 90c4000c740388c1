using Kist.Formats;
using Kist.Host;

namespace Kist.Cli.Commands.Policy;

/// <summary>Reads what is granted to one container of a pod, or to all.</summary>
static class GrantArguments
{
    public static ContainerGrant<IReadOnlyList<string>> Exec(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var isNamed = colon > 0 && text[..colon].All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
        var words = CommandWords.Split(isNamed ? text[(colon + 1)..] : text);
        return words.Count > 0
            ? new ContainerGrant<IReadOnlyList<string>>(isNamed ? text[..colon] : null, words)
            : throw new OperationFailedException("read --allow-exec", text, "it names no command");
    }

    public static ContainerGrant<PinnedService> Service(string text, Func<string, PinnedService> read)
    {
        var (container, value) = text.Contains('=', StringComparison.Ordinal) ? Split(text, "grant") : (null, text);
        return new ContainerGrant<PinnedService>(container, read(value));
    }

    public static (string Name, string Value) Split(string text, string option)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        return at > 0 ? (text[..at], text[(at + 1)..]) : throw new OperationFailedException($"read {option}", text, "there is no '=' in it");
    }
}
