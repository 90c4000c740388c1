namespace Kist.Rego.Builtins;

/// <summary>Go's time layouts: the reference time's parts stand for the parts of any time.</summary>
static class GoTimeLayouts
{
    // Longest first, where one begins with another.
    private static readonly string[] Elements =
    [
        "January", "Jan", "Monday", "Mon", "MST", "2006", "-07:00:00", "-070000", "-07:00", "-0700", "-07",
        "Z07:00:00", "Z070000", "Z07:00", "Z0700", "Z07", "002", "01", "02", "03", "04", "05", "06", "__2", "_2006", "_2", "15", "PM", "pm", "1", "2", "3", "4", "5",
    ];

    /// <summary>The layout of a name, or the layout itself.</summary>
    public static string Named(string layout) => layout switch
    {
        "ANSIC" => "Mon Jan _2 15:04:05 2006",
        "UnixDate" => "Mon Jan _2 15:04:05 MST 2006",
        "RubyDate" => "Mon Jan 02 15:04:05 -0700 2006",
        "RFC822" => "02 Jan 06 15:04 MST",
        "RFC822Z" => "02 Jan 06 15:04 -0700",
        "RFC850" => "Monday, 02-Jan-06 15:04:05 MST",
        "RFC1123" => "Mon, 02 Jan 2006 15:04:05 MST",
        "RFC1123Z" => "Mon, 02 Jan 2006 15:04:05 -0700",
        "RFC3339" => "2006-01-02T15:04:05Z07:00",
        "RFC3339Nano" => "2006-01-02T15:04:05.999999999Z07:00",
        _ => layout,
    };

    /// <summary>The elements and literal characters of a layout, in order.</summary>
    public static IEnumerable<(string Text, bool IsElement)> Parts(string layout)
    {
        for (var i = 0; i < layout.Length;)
        {
            var element = ElementAt(layout, i);
            yield return element is null ? (layout[i].ToString(), false) : (element, true);
            i += element?.Length ?? 1;
        }
    }

    private static string? ElementAt(string layout, int i)
    {
        // A fraction of a second: a point or comma and a run of zeros or nines after which there is no digit.
        if (layout[i] is '.' or ',' && i + 1 < layout.Length && layout[i + 1] is '0' or '9')
        {
            var end = i + 1;
            while (end < layout.Length && layout[end] == layout[i + 1])
                end++;
            if (end == layout.Length || !char.IsAsciiDigit(layout[end]))
                return layout[i..end];
        }

        foreach (var element in Elements)
        {
            if (string.CompareOrdinal(layout, i, element, 0, element.Length) != 0)
                continue;
            if (element == "_2006")
                return null;
            // "Month" is no Mon, "January" was tried before "Jan".
            if (element is "Jan" or "Mon" && i + 3 < layout.Length && char.IsAsciiLetterLower(layout[i + 3]))
                continue;
            return element;
        }

        return null;
    }
}
