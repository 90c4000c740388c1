namespace Kist.Oci;

/// <summary>
/// The grammar of references (distribution specification 1.1, Pulling manifests; distribution/reference for hosts),
/// written as hand parsers over ASCII: .NET's regular expressions let "$" match before a final newline and "\w" match
/// letters of every script.
/// </summary>
static class ReferenceGrammar
{
    public const int MaxTagLength = 128;
    public const int MaxRepositoryLength = 255;

    // [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
    public static bool IsTag(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > MaxTagLength || text[0] is '.' or '-')
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))
                return false;
        }

        return true;
    }

    // component (/ component)*, component = [a-z0-9]+ ((\.|_|__|-+)[a-z0-9]+)*
    public static bool IsRepository(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > MaxRepositoryLength)
            return false;
        foreach (var range in text.Split('/'))
        {
            if (!IsComponent(text[range]))
                return false;
        }

        return true;
    }

    // host [: port]; host = domain name, IPv4 address, or IPv6 address in brackets
    public static bool IsRegistry(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > 255)
            return false;
        int hostEnd;
        if (text[0] == '[')
        {
            hostEnd = text.IndexOf(']') + 1;
            if (hostEnd == 0 || !System.Net.IPAddress.TryParse(text[1..(hostEnd - 1)], out var address)
                || address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6 || text[1..hostEnd].Contains('%'))
                return false;
        }
        else
        {
            hostEnd = text.IndexOf(':') is var colon and >= 0 ? colon : text.Length;
            if (!IsDomain(text[..hostEnd]))
                return false;
        }

        return hostEnd == text.Length || (text[hostEnd] == ':' && IsPort(text[(hostEnd + 1)..]));
    }

    private static bool IsPort(ReadOnlySpan<char> text) =>
        text.Length is >= 1 and <= 5 && !text.ContainsAnyExceptInRange('0', '9') && int.Parse(text) is >= 1 and <= 65535;

    private static bool IsDomain(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
            return false;
        foreach (var range in text.Split('.'))
        {
            var label = text[range];
            if (label.IsEmpty || label.Length > 63 || label[0] == '-' || label[^1] == '-')
                return false;
            foreach (var c in label)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                    return false;
            }
        }

        return true;
    }

    private static bool IsComponent(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || !IsWord(text[0]) || !IsWord(text[^1]))
            return false;
        for (var i = 0; i < text.Length;)
        {
            if (IsWord(text[i]))
            {
                i++;
                continue;
            }

            var run = i + 1;
            while (!IsWord(text[run]))
                run++;
            if (!IsSeparator(text[i..run]))
                return false;
            i = run;
        }

        return true;
    }

    private static bool IsWord(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);

    private static bool IsSeparator(ReadOnlySpan<char> text) => text is "." or "_" or "__" || !text.ContainsAnyExcept('-');
}
