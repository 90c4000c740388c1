using System.Globalization;
using System.Text;

namespace Kist.Attestation;

/// <summary>
/// Makes text from evidence harmless on a terminal: control and formatting characters (which could move the cursor or hide
/// text) become \u escapes. Texts of more than <see cref="MaxLength"/> characters are cut.
/// </summary>
public static class EvidenceText
{
    /// <summary>Characters that are shown at most.</summary>
    public const int MaxLength = 4096;

    /// <summary>The text with escapes, cut if it is long.</summary>
    public static string Printable(string text)
    {
        var cut = text.Length > MaxLength ? text[..MaxLength] : text;
        var builder = new StringBuilder(cut.Length);
        foreach (var c in cut)
        {
            if (IsHarmful(c))
                builder.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                builder.Append(c);
        }

        return cut.Length < text.Length ? builder.Append('…').ToString() : builder.ToString();
    }

    private static bool IsHarmful(char c) => char.GetUnicodeCategory(c) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or
        UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse;
}
