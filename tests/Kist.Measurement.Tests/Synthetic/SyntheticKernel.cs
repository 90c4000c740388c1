using System.Buffers.Binary;

namespace Kist.Testing;

/// <summary>Builds a small file that is both a Linux bzImage and a PE image, as real kernels with an EFI stub are.</summary>
public sealed class SyntheticKernel
{
    public string Release { get; init; } = "6.12.30-kist";

    public ushort XLoadFlags { get; init; } = 0x7f;

    public uint InitrdMaximum { get; init; } = 0x7fffffff;

    public int BodySize { get; init; } = 0x3000;

    public int Trailing { get; init; }

    public int CertificateTable { get; init; }

    public byte[] Build()
    {
        const int Setup = 5 * 512;
        var image = new byte[Setup + BodySize + Trailing + CertificateTable];
        for (var i = Setup; i < image.Length; i++)
            image[i] = (byte)(i * 17 + (i >> 7));
        "MZ"u8.CopyTo(image);
        UInt32(0x3c, 0x40);
        "PE\0\0"u8.CopyTo(image.AsSpan(0x40));
        UInt16(0x44, 0x8664);
        UInt16(0x46, 2);
        UInt16(0x54, 160);
        UInt16(0x58, 0x20b);
        UInt32(0x58 + 60, 0x400);
        UInt32(0x58 + 64, 0x12345678);
        UInt32(0x58 + 108, 6);
        if (CertificateTable > 0)
        {
            UInt32(0x58 + 112 + 32, (uint)(image.Length - CertificateTable));
            UInt32(0x58 + 112 + 36, (uint)CertificateTable);
        }

        // The table names the later section first: the digest must follow the file, not the table.
        Section(0x58 + 160, ".text", 0xa00, (uint)BodySize);
        Section(0x58 + 200, ".setup", 0x400, 0x600);

        image[0x1f1] = Setup / 512 - 1;
        image[0x1fe] = 0x55;
        image[0x1ff] = 0xaa;
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        UInt16(0x206, 0x20f);
        UInt16(0x20e, 0x400);
        image[0x211] = 1;
        UInt16(0x224, 0x5be0);
        UInt32(0x22c, InitrdMaximum);
        UInt16(0x236, XLoadFlags);
        System.Text.Encoding.ASCII.GetBytes(Release + " (test) #1\0").CopyTo(image, 0x600);
        return image;

        void UInt16(int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(at), value);
        void UInt32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), value);
        void Section(int at, string name, uint offset, uint size)
        {
            System.Text.Encoding.ASCII.GetBytes(name).CopyTo(image, at);
            UInt32(at + 8, size);
            UInt32(at + 16, size);
            UInt32(at + 20, offset);
        }
    }
}
