using System.Globalization;
using System.Text;

namespace Kist.Rego.Builtins;

/// <summary>Formats times by Go's layouts.</summary>
static partial class GoTime
{
    private static readonly CultureInfo English = CultureInfo.InvariantCulture;

    public static string Format(ZonedTime time, string layout)
    {
        var text = new StringBuilder();
        foreach (var (part, isElement) in GoTimeLayouts.Parts(layout))
            text.Append(isElement ? Element(time, part) : part);
        return text.ToString();
    }

    private static string Element(ZonedTime time, string element)
    {
        var t = time.Local;
        return element switch
        {
            "2006" => t.Year.ToString("0000", English),
            "06" => (t.Year % 100).ToString("00", English),
            "January" => English.DateTimeFormat.GetMonthName(t.Month),
            "Jan" => English.DateTimeFormat.GetAbbreviatedMonthName(t.Month),
            "01" => t.Month.ToString("00", English),
            "1" => t.Month.ToString(English),
            "Monday" => t.DayOfWeek.ToString(),
            "Mon" => t.DayOfWeek.ToString()[..3],
            "02" => t.Day.ToString("00", English),
            "_2" => t.Day.ToString(English).PadLeft(2),
            "2" => t.Day.ToString(English),
            "002" => t.DayOfYear.ToString("000", English),
            "__2" => t.DayOfYear.ToString(English).PadLeft(3),
            "15" => t.Hour.ToString("00", English),
            "03" => Twelve(t.Hour).ToString("00", English),
            "3" => Twelve(t.Hour).ToString(English),
            "04" => t.Minute.ToString("00", English),
            "4" => t.Minute.ToString(English),
            "05" => t.Second.ToString("00", English),
            "5" => t.Second.ToString(English),
            "PM" => t.Hour < 12 ? "AM" : "PM",
            "pm" => t.Hour < 12 ? "am" : "pm",
            "MST" => Abbreviation(time),
            ['.' or ',', ..] => Fraction(time.Fraction, element),
            _ => Offset(time.Offset, element),
        };
    }

    private static int Twelve(int hour) => hour % 12 == 0 ? 12 : hour % 12;

    private static string Fraction(int nanoseconds, string element)
    {
        var digits = nanoseconds.ToString("000000000", English).PadRight(element.Length - 1, '0')[..(element.Length - 1)];
        if (element[1] == '9')
            digits = digits.TrimEnd('0');
        return digits.Length == 0 ? "" : element[0] + digits;
    }

    private static string Offset(TimeSpan offset, string element)
    {
        if (element[0] == 'Z' && offset == TimeSpan.Zero)
            return "Z";
        var sign = offset < TimeSpan.Zero ? '-' : '+';
        var size = offset.Duration();
        return element[1..] switch
        {
            "07" => $"{sign}{size:hh}",
            "0700" => $"{sign}{size:hhmm}",
            "07:00" => $"{sign}{size:hh\\:mm}",
            "070000" => $"{sign}{size:hhmmss}",
            _ => $"{sign}{size:hh\\:mm\\:ss}",
        };
    }

    /// <summary>A zone's abbreviation, which .NET does not know: UTC, or Go's form for zones without one.</summary>
    private static string Abbreviation(ZonedTime time) =>
        time.Zone == TimeZoneInfo.Utc ? "UTC" : TimeZoneAbbreviations.Find(time.Zone, time.Utc) ?? Offset(time.Offset, time.Offset.Minutes == 0 ? "-07" : "-0700");
}
