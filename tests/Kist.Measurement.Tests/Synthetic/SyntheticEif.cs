using System.Buffers.Binary;

namespace Kist.Testing;

/// <summary>Builds an enclave image file.</summary>
public static class SyntheticEif
{
    public static byte[] Build(params (ushort Type, byte[] Data)[] sections)
    {
        const int Header = 548;
        var file = new byte[Header + sections.Sum(s => 12 + s.Data.Length)];
        ".eif"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(4), 4);
        BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(26), (ushort)sections.Length);
        var at = Header;
        foreach (var (index, (type, data)) in sections.Index())
        {
            BinaryPrimitives.WriteUInt64BigEndian(file.AsSpan(28 + 8 * index), (ulong)at);
            BinaryPrimitives.WriteUInt64BigEndian(file.AsSpan(284 + 8 * index), (ulong)data.Length);
            BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(at), type);
            BinaryPrimitives.WriteUInt64BigEndian(file.AsSpan(at + 4), (ulong)data.Length);
            data.CopyTo(file, at + 12);
            at += 12 + data.Length;
        }

        Seal(file);
        return file;
    }

    /// <summary>Puts the right CRC into a file that was changed.</summary>
    public static void Seal(byte[] file) =>
        BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(544), Crc([.. file[..544], .. file[548..]]));

    // Bit by bit, unlike the reader's table.
    private static uint Crc(byte[] data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var i = 0; i < 8; i++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
        }

        return ~crc;
    }
}
