using System.Text;

namespace Kist.Rego.Builtins;

/// <summary>Strings counted in code points, as policies count them.</summary>
static class CodePoints
{
    public static int Count(ReadOnlySpan<char> text)
    {
        var count = text.Length;
        for (var i = 0; i + 1 < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && char.IsLowSurrogate(text[i + 1]))
            {
                count--;
                i++;
            }
        }

        return count;
    }

    /// <summary>The offset in UTF-16 units of a code point; the length if there are not so many.</summary>
    public static int Offset(string text, int codePoints)
    {
        var i = 0;
        for (; codePoints > 0 && i < text.Length; codePoints--)
            i += i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) ? 2 : 1;
        return i;
    }

    /// <summary>Each code point as a string.</summary>
    public static List<string> Split(string text)
    {
        var parts = new List<string>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            parts.Add(rune.ToString());
        return parts;
    }

    public static string Reverse(string text)
    {
        var reversed = new StringBuilder(text.Length);
        var parts = Split(text);
        for (var i = parts.Count - 1; i >= 0; i--)
            reversed.Append(parts[i]);
        return reversed.ToString();
    }
}
