using System.Text.RegularExpressions;

namespace Kist.Kubernetes;

/// <summary>$(NAME) in values and arguments, as kubelet expands it (k8s.io/kubernetes/third_party/forked/golang/expansion).</summary>
static partial class VariableExpansion
{
    /// <summary>
    /// Expands a text: $(NAME) becomes that variable's value, $$ becomes $, and what names no variable stays as it is.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="lookUp">A variable's value, or null.</param>
    public static RuntimeText Expand(string text, Func<string, RuntimeText?> lookUp)
    {
        var result = RuntimeText.Empty;
        var from = 0;
        for (var at = text.IndexOf('$', StringComparison.Ordinal); at >= 0 && at + 1 < text.Length; at = text.IndexOf('$', from))
        {
            result = result.Append(RuntimeText.Literal(text[from..at]));
            (var part, from) = Token(text, at, lookUp);
            result = result.Append(part);
            if (from >= text.Length)
                break;
        }

        return from < text.Length ? result.Append(RuntimeText.Literal(text[from..])) : result;
    }

    /// <summary>True for the names of variables that kubelet makes of the services that exist when a pod starts.</summary>
    public static bool IsServiceVariable(string name) => ServiceName().IsMatch(name);

    private static (RuntimeText Part, int Next) Token(string text, int at, Func<string, RuntimeText?> lookUp)
    {
        switch (text[at + 1])
        {
            case '$':
                return (RuntimeText.Literal("$"), at + 2);
            case '(' when text.IndexOf(')', at) is > 0 and var end:
                var name = text[(at + 2)..end];
                return (lookUp(name) ?? RuntimeText.Literal(text[at..(end + 1)]), end + 1);
            default:
                return (RuntimeText.Literal(text.Substring(at, 2)), at + 2);
        }
    }

    [GeneratedRegex(@"\A[A-Z][A-Z0-9_]*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)\z", RegexOptions.CultureInvariant)]
    private static partial Regex ServiceName();
}
