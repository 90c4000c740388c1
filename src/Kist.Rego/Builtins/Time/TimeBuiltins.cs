using System.Numerics;

namespace Kist.Rego.Builtins;

/// <summary>time.*: instants are nanoseconds since 1970, in 64 bits.</summary>
static class TimeBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("time.now_ns", 0, (c, _) => RegoNumber.FromInt64(c.NowNanoseconds));
        table.Add("time.parse_rfc3339_ns", 1, (c, a) => c.String(a, 0, out var s) ? Nanoseconds(c, GoTime.Parse("2006-01-02T15:04:05Z07:00", s)) : null);
        table.Add("time.parse_ns", 2, (c, a) => c.String(a, 0, out var layout) && c.String(a, 1, out var s) ? Nanoseconds(c, GoTime.Parse(GoTimeLayouts.Named(layout), s)) : null);
        table.Add("time.parse_duration_ns", 1, (c, a) => c.String(a, 0, out var s) ? RegoNumber.FromBigInteger(GoDuration.Parse(s)) : null);
        table.Add("time.date", 1, (c, a) => Instant(c, a[0]) is { } t ? Numbers(t.Local.Year, t.Local.Month, t.Local.Day) : null);
        table.Add("time.clock", 1, (c, a) => Instant(c, a[0]) is { } t ? Numbers(t.Local.Hour, t.Local.Minute, t.Local.Second) : null);
        table.Add("time.weekday", 1, (c, a) => Instant(c, a[0]) is { } t ? new RegoString(t.Local.DayOfWeek.ToString()) : null);
        table.Add("time.format", 1, (c, a) => Instant(c, a[0]) is { } t ? c.Text(GoTime.Format(t, Layout(a[0]))) : null);
        table.Add("time.add_date", 4, AddDate);
        table.Add("time.diff", 2, (c, a) => Instant(c, a[0]) is { } x && Instant(c, a[1]) is { } y ? TimeDifference.Of(x, y) : null);
    }

    public static RegoArray Numbers(params ReadOnlySpan<int> values)
    {
        var items = new RegoValue[values.Length];
        for (var i = 0; i < items.Length; i++)
            items[i] = RegoNumber.FromInt64(values[i]);
        return RegoArray.Of(items);
    }

    private static RegoValue? Nanoseconds(BuiltinContext c, BigInteger value) =>
        value < long.MinValue || value > long.MaxValue ? c.Fail("time outside of valid range") : RegoNumber.FromBigInteger(value);

    private static string Layout(RegoValue value) =>
        value is RegoArray { Count: 3 } array && array[2] is RegoString s ? GoTimeLayouts.Named(s.Value) : "2006-01-02T15:04:05.999999999Z07:00";

    /// <summary>An instant: nanoseconds, or <c>[nanoseconds, zone]</c>, or <c>[nanoseconds, zone, layout]</c>.</summary>
    private static ZonedTime? Instant(BuiltinContext c, RegoValue value)
    {
        var (time, zone) = value switch
        {
            RegoArray { Count: >= 1 and <= 3 } array => (array[0], array.Count > 1 ? array[1] : RegoString.Empty),
            _ => (value, RegoString.Empty),
        };
        if (time is not RegoNumber number)
        {
            c.FailType(0, "{number, array}", time);
            return null;
        }

        if (!number.TryGetInt64(out var nanoseconds))
        {
            c.Fail("timestamp too big");
            return null;
        }

        if (zone is not RegoString { Value: var name })
        {
            c.FailType(0, "string", zone);
            return null;
        }

        return new ZonedTime(nanoseconds, TimeZones.Find(name));
    }

    private static RegoValue? AddDate(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (Instant(c, a[0]) is not { } t || !c.Int32(a, 1, out var years) || !c.Int32(a, 2, out var months) || !c.Int32(a, 3, out var days))
            return null;
        if (Math.Abs((long)years) > 20_000 || Math.Abs((long)months) > 300_000 || Math.Abs((long)days) > 10_000_000)
            return c.Fail("time outside of valid range");
        // As Go: the 31st of a month without one is the first of the next.
        var month = ((t.Local.Year + years) * 12L) + t.Local.Month - 1 + months;
        var year = (int)Math.Floor(month / 12.0);
        if (year is < 1 or > 9998)
            return c.Fail("time outside of valid range");
        var date = new DateTime(year, (int)(month - (year * 12L)) + 1, 1).AddDays(t.Local.Day - 1 + days) + t.Local.TimeOfDay;
        return Nanoseconds(c, t.WithLocal(date));
    }
}
