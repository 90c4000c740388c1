namespace Kist.Oci;

/// <summary>One challenge of a WWW-Authenticate header (RFC 9110, section 11.6.1).</summary>
/// <param name="Scheme">"bearer" or "basic", lower case.</param>
/// <param name="Parameters">Its parameters; names in lower case.</param>
sealed record AuthenticationChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    private const int MaxLength = 4096;

    /// <summary>The first challenge in a header's value that is of a scheme known here, or null.</summary>
    public static AuthenticationChallenge? Parse(string header)
    {
        if (header.Length > MaxLength)
            return null;
        var space = header.IndexOf(' ', StringComparison.Ordinal);
        var scheme = (space < 0 ? header : header[..space]).ToLowerInvariant();
        if (scheme is not ("bearer" or "basic"))
            return null;
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        return space < 0 || ReadParameters(header.AsSpan(space + 1), parameters) ? new AuthenticationChallenge(scheme, parameters) : null;
    }

    private static bool ReadParameters(ReadOnlySpan<char> text, Dictionary<string, string> parameters)
    {
        while (true)
        {
            text = text.TrimStart(" \t,");
            if (text.IsEmpty)
                return true;
            var equals = text.IndexOf('=');
            if (equals <= 0)
                return false;
            var name = text[..equals].Trim().ToString().ToLowerInvariant();
            text = text[(equals + 1)..].TrimStart();
            if (!ReadValue(ref text, out var value) || !parameters.TryAdd(name, value))
                return false;
        }
    }

    private static bool ReadValue(ref ReadOnlySpan<char> text, out string value)
    {
        value = "";
        if (text.IsEmpty || text[0] != '"')
        {
            var end = text.IndexOf(',') is var comma and >= 0 ? comma : text.Length;
            value = text[..end].Trim().ToString();
            text = text[end..];
            return true;
        }

        var builder = new System.Text.StringBuilder();
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '"')
            {
                value = builder.ToString();
                text = text[(i + 1)..];
                return true;
            }

            if (text[i] == '\\' && i + 1 < text.Length)
                i++;
            builder.Append(text[i]);
        }

        return false;
    }
}
