using System.Buffers.Binary;
using System.Text;

namespace Kist.Testing;

/// <summary>Builds a PE image with the sections of a unified kernel image.</summary>
public static class SyntheticUki
{
    public static byte[] Build(params (string Name, byte[] Data)[] sections)
    {
        const int Headers = 0x400;
        var size = Headers + sections.Sum(s => Align(s.Data.Length));
        var image = new byte[size];
        "MZ"u8.CopyTo(image);
        UInt32(0x3c, 0x40);
        "PE\0\0"u8.CopyTo(image.AsSpan(0x40));
        UInt16(0x44, 0x8664);
        UInt16(0x46, (ushort)sections.Length);
        UInt16(0x54, 160);
        UInt16(0x58, 0x20b);
        UInt32(0x58 + 60, Headers);
        UInt32(0x58 + 108, 6);
        var at = Headers;
        foreach (var (index, (name, data)) in sections.Index())
        {
            var header = 0x58 + 160 + 40 * index;
            Encoding.ASCII.GetBytes(name).CopyTo(image, header);
            UInt32(header + 8, (uint)data.Length);
            UInt32(header + 16, (uint)Align(data.Length));
            UInt32(header + 20, (uint)at);
            data.CopyTo(image, at);
            at += Align(data.Length);
        }

        return image;

        void UInt16(int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(offset), value);
        void UInt32(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(offset), value);
    }

    private static int Align(int size) => (size + 511) & ~511;
}
