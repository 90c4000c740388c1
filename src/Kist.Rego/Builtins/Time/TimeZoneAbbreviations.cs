namespace Kist.Rego.Builtins;

/// <summary>Abbreviations of the most common zones, as the tz database has them: standard and daylight time.</summary>
static class TimeZoneAbbreviations
{
    private static readonly Dictionary<string, (string Standard, string Daylight)> Names = new(StringComparer.Ordinal)
    {
        ["America/New_York"] = ("EST", "EDT"),
        ["America/Chicago"] = ("CST", "CDT"),
        ["America/Denver"] = ("MST", "MDT"),
        ["America/Los_Angeles"] = ("PST", "PDT"),
        ["Europe/London"] = ("GMT", "BST"),
        ["Europe/Berlin"] = ("CET", "CEST"),
        ["Europe/Paris"] = ("CET", "CEST"),
        ["Europe/Madrid"] = ("CET", "CEST"),
        ["Europe/Rome"] = ("CET", "CEST"),
        ["Europe/Helsinki"] = ("EET", "EEST"),
        ["Europe/Moscow"] = ("MSK", "MSK"),
        ["Asia/Tokyo"] = ("JST", "JST"),
        ["Asia/Shanghai"] = ("CST", "CST"),
        ["Asia/Kolkata"] = ("IST", "IST"),
        ["Australia/Sydney"] = ("AEST", "AEDT"),
        ["EST"] = ("EST", "EST"),
        ["GMT"] = ("GMT", "GMT"),
    };

    /// <summary>The abbreviation at an instant; null if the zone is not in the table.</summary>
    public static string? Find(TimeZoneInfo zone, DateTime utc) =>
        Names.TryGetValue(zone.Id, out var names) ? zone.IsDaylightSavingTime(utc) ? names.Daylight : names.Standard : null;
}
