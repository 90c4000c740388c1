using System.Buffers.Binary;

namespace Kist.Fuzz;

/// <summary>Changes samples at random: bits, numbers at their limits, pieces left out, doubled, or taken from other samples.</summary>
sealed class Mutator(Random random, IReadOnlyList<byte[]> samples)
{
    private const int MaximumSize = 1 << 20;

    private static readonly uint[] s_limits = [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF];

    /// <summary>One to eight changes of one sample.</summary>
    public byte[] Next()
    {
        var data = (byte[])samples[random.Next(samples.Count)].Clone();
        for (var i = random.Next(1, 9); i > 0; i--)
            data = Change(data);
        return data.Length <= MaximumSize ? data : data[..MaximumSize];
    }

    private byte[] Change(byte[] data)
    {
        if (data.Length == 0)
            return [(byte)random.Next(256)];
        // Headers decide more than bodies, so half of the changes are in the first bytes.
        var at = random.Next(2) == 0 ? random.Next(data.Length) : random.Next(Math.Min(data.Length, 512));
        var length = Math.Min(data.Length - at, 1 << random.Next(11));
        switch (random.Next(9))
        {
            case 0:
                data[at] ^= (byte)(1 << random.Next(8));
                return data;
            case 1:
                data[at] = (byte)random.Next(256);
                return data;
            case 2:
                return data[..at];
            case 3:
                return [.. data[..at], .. data[(at + length)..]];
            case 4:
                return [.. data[..(at + length)], .. data[at..]];
            case 5:
                data.AsSpan(at, length).Fill((byte)(random.Next(2) * 255));
                return data;
            case 6:
                return Splice(data, at);
            case 7:
                (data[at], data[random.Next(data.Length)]) = (data[random.Next(data.Length)], data[at]);
                return data;
            default:
                return PutNumber(data, at);
        }
    }

    private byte[] PutNumber(byte[] data, int at)
    {
        var value = s_limits[random.Next(s_limits.Length)] + (uint)random.Next(-1, 2);
        if (data.Length - at < 4)
            data[at] = (byte)value;
        else if (random.Next(2) == 0)
            BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(at), value);
        else
            BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(at), value);
        return data;
    }

    private byte[] Splice(byte[] data, int at)
    {
        var other = samples[random.Next(samples.Count)];
        var from = random.Next(other.Length);
        var length = Math.Min(other.Length - from, 1 << random.Next(12));
        return [.. data[..at], .. other.AsSpan(from, length), .. data[Math.Min(data.Length, at + length)..]];
    }
}
