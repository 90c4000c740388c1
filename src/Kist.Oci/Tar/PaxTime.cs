using System.Buffers.Text;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>Times in pax headers: decimal seconds since 1970 with an optional fraction, perhaps negative.</summary>
static class PaxTime
{
    public static (long Seconds, uint Nanoseconds) Parse(ReadOnlySpan<byte> text)
    {
        var dot = text.IndexOf((byte)'.');
        var whole = dot < 0 ? text : text[..dot];
        var fraction = dot < 0 ? [] : text[(dot + 1)..];
        if (!Utf8Parser.TryParse(whole, out long seconds, out var used) || used != whole.Length
            || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9') || Math.Abs(seconds) > 1L << 40)
            throw new MalformedDataException("pax header", -1, "a time is no decimal number");
        uint nanoseconds = 0;
        for (var i = 0; i < 9; i++)
            nanoseconds = nanoseconds * 10 + (i < fraction.Length ? (uint)(fraction[i] - '0') : 0);
        // -1.25 is 0.75 after -2.
        if (text[0] == '-' && nanoseconds > 0)
            return (seconds - 1, 1_000_000_000 - nanoseconds);
        return (seconds, nanoseconds);
    }
}
