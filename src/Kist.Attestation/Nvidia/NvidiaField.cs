using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Kist.Attestation.Nvidia;

/// <summary>NVIDIA's fields in the opaque data of a report (NVIDIA attestation SDK, OpaqueDataType), and how they are shown.</summary>
internal static class NvidiaField
{
    public const int DriverVersion = 3;
    public const int VbiosVersion = 6;
    public const int MeasurementCount = 12;
    public const int Fwid = 20;

    /// <summary>The name in Trustee's claims; "field_N" for a type that is not known.</summary>
    public static string Name(int type) => type switch
    {
        1 => "cert_issuer_name",
        2 => "cert_authority_key_identifier",
        DriverVersion => "driver_version",
        4 => "gpu_info",
        5 => "sku",
        VbiosVersion => "vbios_version",
        7 => "manufacturer_id",
        8 => "tamper_detection",
        9 => "smc",
        10 => "vpr",
        11 => "nvdec0_status",
        MeasurementCount => "measurement_count",
        13 => "cpr_info",
        14 => "board_id",
        15 => "chip_sku",
        16 => "chip_sku_mod",
        17 => "project",
        18 => "project_sku",
        19 => "project_sku_mod",
        Fwid => "fwid",
        21 => "protected_pcie_status",
        22 => "switch_pdi",
        23 => "floorswept_ports",
        24 => "position_id",
        25 => "lock_switch_status",
        32 => "gpu_link_conn",
        33 => "sys_enable_status",
        34 => "opaque_data_version",
        35 => "chip_info",
        36 => "feature_flag",
        _ => $"field_{type}",
    };

    /// <summary>The value as text: characters, a dotted version, or hexadecimal.</summary>
    public static string Text(int type, ReadOnlySpan<byte> value) => type switch
    {
        VbiosVersion when value.Length == 8 => Vbios(value),
        DriverVersion or 11 or 15 or 16 or 17 or 18 or 21 => Characters(value),
        _ => Convert.ToHexStringLower(value),
    };

    /// <summary>How often each measurement was extended: 32-bit numbers from index 1.</summary>
    public static IEnumerable<uint> Counts(ReadOnlyMemory<byte> value)
    {
        for (var i = 0; i + 4 <= value.Length; i += 4)
            yield return BinaryPrimitives.ReadUInt32LittleEndian(value.Span[i..]);
    }

    // Four bytes least significant first, then one: 00 9f 00 96 01 is 96.00.9f.00.01.
    private static string Vbios(ReadOnlySpan<byte> value) => string.Create(
        CultureInfo.InvariantCulture, $"{value[3]:x2}.{value[2]:x2}.{value[1]:x2}.{value[0]:x2}.{value[4]:x2}");

    private static string Characters(ReadOnlySpan<byte> value) => Encoding.Latin1.GetString(value.TrimEnd((byte)0));
}
