namespace Kist.Rego.Builtins;

/// <summary>The difference of two instants in years, months, days, hours, minutes and seconds.</summary>
static class TimeDifference
{
    public static RegoArray Of(ZonedTime a, ZonedTime b)
    {
        // Both are seen on the first one's wall clock; the later is the minuend.
        b = new ZonedTime(b.Nanoseconds, a.Zone);
        var (from, to) = a.Nanoseconds <= b.Nanoseconds ? (a.Local, b.Local) : (b.Local, a.Local);
        var year = to.Year - from.Year;
        var month = to.Month - from.Month;
        var day = to.Day - from.Day;
        var hour = to.Hour - from.Hour;
        var minute = to.Minute - from.Minute;
        var second = to.Second - from.Second;
        Borrow(ref second, ref minute, 60);
        Borrow(ref minute, ref hour, 60);
        Borrow(ref hour, ref day, 24);
        if (day < 0)
        {
            // The days of the month that the earlier time is in.
            day += DateTime.DaysInMonth(from.Year, from.Month);
            month--;
        }

        Borrow(ref month, ref year, 12);
        return TimeBuiltins.Numbers(year, month, day, hour, minute, second);
    }

    private static void Borrow(ref int part, ref int larger, int size)
    {
        if (part >= 0)
            return;
        part += size;
        larger--;
    }
}
