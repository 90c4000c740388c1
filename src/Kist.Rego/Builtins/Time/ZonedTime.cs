using System.Numerics;

namespace Kist.Rego.Builtins;

/// <summary>An instant in a time zone.</summary>
readonly struct ZonedTime
{
    private const long NanosecondsPerTick = 100;

    public ZonedTime(long nanoseconds, TimeZoneInfo zone)
    {
        Nanoseconds = nanoseconds;
        Zone = zone;
        Utc = DateTime.UnixEpoch.AddTicks(Math.DivRem(nanoseconds, NanosecondsPerTick).Quotient - (nanoseconds % NanosecondsPerTick < 0 ? 1 : 0));
        Offset = zone.GetUtcOffset(Utc);
        Local = DateTime.SpecifyKind(Utc + Offset, DateTimeKind.Unspecified);
    }

    public long Nanoseconds { get; }

    public TimeZoneInfo Zone { get; }

    public DateTime Utc { get; }

    /// <summary>The wall clock there, to 100 ns.</summary>
    public DateTime Local { get; }

    public TimeSpan Offset { get; }

    /// <summary>Nanoseconds within the second.</summary>
    public int Fraction => (int)(((Nanoseconds % 1_000_000_000) + 1_000_000_000) % 1_000_000_000);

    /// <summary>The instant at another wall clock in the same zone, with the same part of a tick.</summary>
    public BigInteger WithLocal(DateTime local)
    {
        var offset = Zone.IsInvalidTime(local) ? Zone.GetUtcOffset(local.AddHours(-1)) : Zone.GetUtcOffset(local);
        if (Zone.IsAmbiguousTime(local))
            offset = Zone.GetAmbiguousTimeOffsets(local).Max();
        var rest = ((Nanoseconds % NanosecondsPerTick) + NanosecondsPerTick) % NanosecondsPerTick;
        return (new BigInteger((local - offset).Ticks - DateTime.UnixEpoch.Ticks) * NanosecondsPerTick) + rest;
    }
}

/// <summary>Named zones, from the system's tz database.</summary>
static class TimeZones
{
    /// <summary>The zone of a name; an empty name is UTC.</summary>
    /// <exception cref="FormatException">There is no such zone, or the system has no tz database.</exception>
    public static TimeZoneInfo Find(string name)
    {
        if (name is "" or "UTC" or "Etc/UTC")
            return TimeZoneInfo.Utc;
        if (name == "Local")
            return TimeZoneInfo.Local;
        // The name becomes a path below the database's directory.
        if (name.Length > 64 || name.Contains("..", StringComparison.Ordinal) || name.StartsWith('/'))
            throw new FormatException($"unknown time zone {name}");
        return TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : throw new FormatException($"unknown time zone {name}");
    }
}
