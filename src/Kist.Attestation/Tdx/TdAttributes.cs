using System.Buffers.Binary;
using System.Text.Json;

namespace Kist.Attestation.Tdx;

/// <summary>Bits of TDATTRIBUTES (Intel TDX Module Base Architecture Specification, "TD Attributes").</summary>
internal static class TdAttributes
{
    private const ulong SeptVeDisableBit = 1UL << 28;
    private const ulong MigratableBit = 1UL << 29;
    private const ulong ProtectionKeysBit = 1UL << 30;
    private const ulong KeyLockerBit = 1UL << 31;
    private const ulong PerfmonBit = 1UL << 63;

    public static bool HasSeptVeDisable(TdReport report) => (Value(report) & SeptVeDisableBit) != 0;

    public static bool IsMigratable(TdReport report) => (Value(report) & MigratableBit) != 0;

    public static void Write(Utf8JsonWriter writer, TdReport report)
    {
        var value = Value(report);
        writer.WriteStartObject("td_attributes");
        writer.WriteBoolean("debug", report.IsDebug);
        writer.WriteBoolean("key_locker", (value & KeyLockerBit) != 0);
        writer.WriteBoolean("perfmon", (value & PerfmonBit) != 0);
        writer.WriteBoolean("protection_keys", (value & ProtectionKeysBit) != 0);
        writer.WriteBoolean("septve_disable", (value & SeptVeDisableBit) != 0);
        writer.WriteBoolean("migratable", (value & MigratableBit) != 0);
        writer.WriteEndObject();
    }

    public static string Describe(TdReport report)
    {
        var value = Value(report);
        var names = new List<string>();
        foreach (var (bit, name) in new[]
        {
            (1UL, "DEBUG"), (SeptVeDisableBit, "SEPT_VE_DISABLE"), (MigratableBit, "MIGRATABLE"),
            (ProtectionKeysBit, "PKS"), (KeyLockerBit, "KL"), (PerfmonBit, "PERFMON"),
        })
        {
            if ((value & bit) != 0)
                names.Add(name);
        }

        return string.Join(" ", names);
    }

    private static ulong Value(TdReport report) => BinaryPrimitives.ReadUInt64LittleEndian(report.TdAttributes.Span);
}
