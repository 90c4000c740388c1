using System.Buffers.Binary;
using System.Text;

namespace Kist.Attestation.EventLogs;

/// <summary>UEFI device paths (UEFI 2.10 §10.3) as text, a node each, in the notation that Trustee's claims have.</summary>
internal static class DevicePath
{
    private const int MaxNodes = 64;

    /// <summary>The nodes up to the end node. What is not known is shown as its type and bytes.</summary>
    public static IReadOnlyList<string> Format(ReadOnlySpan<byte> path)
    {
        var nodes = new List<string>();
        while (path.Length >= 4 && nodes.Count < MaxNodes)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(path[2..]);
            if (length < 4 || length > path.Length || path[0] == 0x7f)
                break;
            nodes.Add(FormatNode(path[0], path[1], path[4..length]));
            path = path[length..];
        }

        return nodes;
    }

    private static string FormatNode(byte type, byte subType, ReadOnlySpan<byte> data) => (type, subType) switch
    {
        (0x01, 0x01) when data.Length == 2 => $"Pci({data[0]},{data[1]})",
        (0x02, 0x01) when data.Length == 8 => $"ACPI({EisaId(data)},{BinaryPrimitives.ReadUInt32LittleEndian(data[4..])})",
        (0x03, 0x01) when data.Length == 4 => $"Ata({data[0]},{data[1]},{BinaryPrimitives.ReadUInt16LittleEndian(data[2..])})",
        (0x03, 0x02) when data.Length == 4 => $"Scsi({BinaryPrimitives.ReadUInt16LittleEndian(data)},{BinaryPrimitives.ReadUInt16LittleEndian(data[2..])})",
        (0x04, 0x01) when data.Length == 38 => HardDrive(data),
        (0x04, 0x03) when data.Length >= 16 => $"VenMedia({Guid(data)},{Convert.ToHexStringLower(data[16..])})",
        (0x04, 0x04) when data.Length >= 2 && data.Length % 2 == 0 => $"File({Encoding.Unicode.GetString(data[..^2])})",
        (0x04, 0x06) when data.Length == 16 => $"FvFile({Guid(data)})",
        (0x04, 0x07) when data.Length == 16 => $"Fv({Guid(data)})",
        _ => $"Path({type},{subType},{Convert.ToHexStringLower(data)})",
    };

    private static string HardDrive(ReadOnlySpan<byte> data)
    {
        var number = BinaryPrimitives.ReadUInt32LittleEndian(data);
        var (format, signature) = data[36] == 0x02
            ? ("GPT", Guid(data[20..]))
            : ("MBR", $"0x{BinaryPrimitives.ReadUInt32LittleEndian(data[20..]):x8}");
        var extent = number == 0
            ? ""
            : $",0x{BinaryPrimitives.ReadUInt64LittleEndian(data[4..]):x},0x{BinaryPrimitives.ReadUInt64LittleEndian(data[12..]):x}";
        return $"HD({number},{format},{signature}{extent})";
    }

    /// <summary>A compressed EISA identifier: three letters of five bits, then four hexadecimal digits.</summary>
    private static string EisaId(ReadOnlySpan<byte> data)
    {
        var vendor = BinaryPrimitives.ReadUInt16LittleEndian(data);
        var product = BinaryPrimitives.ReadUInt16LittleEndian(data[2..]);
        char Letter(int shift) => (char)('@' + ((vendor >> shift) & 0x1f));
        return $"{Letter(10)}{Letter(5)}{Letter(0)}{product:X4}";
    }

    private static string Guid(ReadOnlySpan<byte> data) => new System.Guid(data[..16]).ToString("D").ToUpperInvariant();
}
