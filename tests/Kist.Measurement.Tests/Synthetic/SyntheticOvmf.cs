using System.Buffers.Binary;

namespace Kist.Testing;

/// <summary>Builds small firmware images with the tables of a real OVMF, so that no third-party file need be committed.</summary>
public sealed class SyntheticOvmf
{
    public static readonly Guid TdvfGuid = new("e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae");
    public static readonly Guid FooterGuid = new("96b582de-1fb2-45f7-baea-a366c55a082d");
    public static readonly Guid TdxOffsetGuid = new("e47a6535-984a-4798-865e-4685a7bf8ec2");
    public static readonly Guid SevMetadataGuid = new("dc886566-984a-4798-a75e-5585a7bf67cc");
    public static readonly Guid SevHashesGuid = new("7255371f-3a3b-4b04-927b-1da6efa8d454");
    public static readonly Guid ResetBlockGuid = new("00f771de-1a7e-4fcb-890e-68c77e2fb44e");

    public int Size { get; init; } = 0x10000;

    public int VariablesSize { get; init; } = 0x4000;

    /// <summary>data offset, raw size, address, memory size, type, attributes</summary>
    public List<(uint Offset, uint Raw, ulong Address, ulong Memory, uint Type, uint Attributes)>? Tdvf { get; init; }

    public List<(uint Address, uint Size, uint Type)>? Sev { get; init; }

    public uint? HashTableAddress { get; init; } = 0x810c00;

    public uint? ResetEip { get; init; } = 0x80b004;

    /// <summary>The sections of Debian's OVMF.fd, with volumes of this image's size.</summary>
    public static SyntheticOvmf WithTdx(int size = 0x10000, int variables = 0x4000)
    {
        var start = (ulong)(0x100000000L - size);
        return new SyntheticOvmf
        {
            Size = size,
            VariablesSize = variables,
            Tdvf =
            [
                ((uint)variables, (uint)(size - variables), start + (uint)variables, (ulong)(size - variables), 0, 1),
                (0, (uint)variables, start, (ulong)variables, 1, 0),
                (0, 0, 0x810000, 0x10000, 3, 0),
                (0, 0, 0x80b000, 0x2000, 3, 0),
                (0, 0, 0x809000, 0x2000, 2, 0),
                (0, 0, 0x800000, 0x6000, 3, 0),
            ],
            Sev =
            [
                (0x800000, 0x9000, 1), (0x80a000, 0x3000, 1), (0x80d000, 0x1000, 2), (0x80e000, 0x1000, 3),
                (0x80f000, 0x1000, 4), (0x810000, 0x1000, 0x10), (0x811000, 0xf000, 1),
            ],
        };
    }

    public byte[] Build()
    {
        var image = new byte[Size];
        for (var i = VariablesSize; i < Size; i++)
            image[i] = (byte)(i * 31 + (i >> 8));
        var end = Size - 32;
        var table = new List<byte>();
        if (Tdvf is not null)
            table.InsertRange(0, Entry(TdxOffsetGuid, UInt32((uint)PlaceTdvf(image))));
        if (Sev is not null)
            table.InsertRange(0, Entry(SevMetadataGuid, UInt32((uint)PlaceSev(image))));
        if (HashTableAddress is { } hashes)
            table.InsertRange(0, Entry(SevHashesGuid, [.. UInt32(hashes), .. UInt32(0x400)]));
        if (ResetEip is { } eip)
            table.InsertRange(0, Entry(ResetBlockGuid, UInt32(eip)));
        table.AddRange(BitConverter.GetBytes((ushort)(table.Count + 18)));
        table.AddRange(FooterGuid.ToByteArray());
        table.ToArray().CopyTo(image, end - table.Count);
        return image;
    }

    private int PlaceTdvf(byte[] image)
    {
        var at = Size - 0x800;
        TdvfGuid.ToByteArray().CopyTo(image, at - 16);
        "TDVF"u8.CopyTo(image.AsSpan(at));
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at + 4), (uint)(16 + 32 * Tdvf!.Count));
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at + 8), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at + 12), (uint)Tdvf.Count);
        for (var i = 0; i < Tdvf.Count; i++)
        {
            var section = image.AsSpan(at + 16 + 32 * i);
            BinaryPrimitives.WriteUInt32LittleEndian(section, Tdvf[i].Offset);
            BinaryPrimitives.WriteUInt32LittleEndian(section[4..], Tdvf[i].Raw);
            BinaryPrimitives.WriteUInt64LittleEndian(section[8..], Tdvf[i].Address);
            BinaryPrimitives.WriteUInt64LittleEndian(section[16..], Tdvf[i].Memory);
            BinaryPrimitives.WriteUInt32LittleEndian(section[24..], Tdvf[i].Type);
            BinaryPrimitives.WriteUInt32LittleEndian(section[28..], Tdvf[i].Attributes);
        }

        return Size - at;
    }

    private int PlaceSev(byte[] image)
    {
        var at = Size - 0x400;
        "ASEV"u8.CopyTo(image.AsSpan(at));
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at + 4), (uint)(16 + 12 * Sev!.Count));
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at + 8), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at + 12), (uint)Sev.Count);
        for (var i = 0; i < Sev.Count; i++)
        {
            var section = image.AsSpan(at + 16 + 12 * i);
            BinaryPrimitives.WriteUInt32LittleEndian(section, Sev[i].Address);
            BinaryPrimitives.WriteUInt32LittleEndian(section[4..], Sev[i].Size);
            BinaryPrimitives.WriteUInt32LittleEndian(section[8..], Sev[i].Type);
        }

        return Size - at;
    }

    private static byte[] Entry(Guid guid, byte[] data) =>
        [.. data, .. BitConverter.GetBytes((ushort)(data.Length + 18)), .. guid.ToByteArray()];

    private static byte[] UInt32(uint value) => BitConverter.GetBytes(value);
}
