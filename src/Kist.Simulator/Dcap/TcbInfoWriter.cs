using System.Text.Json;

namespace Kist.Simulator.Dcap;

/// <summary>Writes TCB info of version 3 for SGX and TDX (Intel PCS API, TCB Info Model v3).</summary>
static class TcbInfoWriter
{
    private const string LevelDate = "2025-06-01T00:00:00Z";
    private const string OldLevelDate = "2024-03-01T00:00:00Z";
    private static readonly string ZeroSigner = new('0', 96);

    public static void Write(Utf8JsonWriter writer, bool tdx, byte[] fmspc, DateTimeOffset issued, DateTimeOffset nextUpdate, SimulatedCollateralOptions options)
    {
        writer.WriteString("id", tdx ? "TDX" : "SGX");
        writer.WriteNumber("version", 3);
        writer.WriteString("issueDate", SignedStatement.Time(issued));
        writer.WriteString("nextUpdate", SignedStatement.Time(nextUpdate));
        writer.WriteString("fmspc", Convert.ToHexString(fmspc));
        writer.WriteString("pceId", "0000");
        writer.WriteNumber("tcbType", 0);
        writer.WriteNumber("tcbEvaluationDataNumber", options.TcbEvaluationDataNumber);
        var moduleSvn = options.TdxModuleOutOfDate ? SimulatedTcb.CurrentModuleSvn + 1 : SimulatedTcb.CurrentModuleSvn;
        if (tdx)
            WriteModules(writer, moduleSvn);

        writer.WriteStartArray("tcbLevels");
        var newest = options.NewestLevel;
        WriteLevel(writer, tdx, SimulatedTcbStatus.UpToDate, LevelDate, SimulatedTcb.NewestLevelStatus(newest), newest == SimulatedTcbStatus.UpToDate ? [] : ["INTEL-SA-00000"]);
        WriteLevel(writer, tdx, SimulatedTcbStatus.OutOfDate, OldLevelDate, "OutOfDate", ["INTEL-SA-00000"]);
        WriteLevel(writer, tdx, SimulatedTcbStatus.Revoked, OldLevelDate, "Revoked", ["INTEL-SA-00000"]);
        writer.WriteEndArray();
    }

    private static void WriteModules(Utf8JsonWriter writer, int moduleSvn)
    {
        writer.WriteStartObject("tdxModule");
        WriteModuleIdentity(writer);
        writer.WriteEndObject();
        writer.WriteStartArray("tdxModuleIdentities");
        writer.WriteStartObject();
        writer.WriteString("id", "TDX_01");
        WriteModuleIdentity(writer);
        writer.WriteStartArray("tcbLevels");
        WriteModuleLevel(writer, moduleSvn, LevelDate, "UpToDate");
        WriteModuleLevel(writer, 2, OldLevelDate, "OutOfDate");
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    private static void WriteModuleIdentity(Utf8JsonWriter writer)
    {
        writer.WriteString("mrsigner", ZeroSigner);
        writer.WriteString("attributes", "0000000000000000");
        writer.WriteString("attributesMask", "FFFFFFFFFFFFFFFF");
    }

    private static void WriteModuleLevel(Utf8JsonWriter writer, int svn, string date, string status)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("tcb");
        writer.WriteNumber("isvsvn", svn);
        writer.WriteEndObject();
        writer.WriteString("tcbDate", date);
        writer.WriteString("tcbStatus", status);
        writer.WriteEndObject();
    }

    private static void WriteLevel(Utf8JsonWriter writer, bool tdx, SimulatedTcbStatus level, string date, string status, string[] advisories)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("tcb");
        WriteComponents(writer, "sgxtcbcomponents", SimulatedTcb.SgxComponents(level));
        writer.WriteNumber("pcesvn", SimulatedTcb.PceSvn(level));
        if (tdx)
        {
            var components = SimulatedTcb.TdxComponents(level);
            components[1] = 0;
            WriteComponents(writer, "tdxtcbcomponents", components);
        }

        writer.WriteEndObject();
        writer.WriteString("tcbDate", date);
        writer.WriteString("tcbStatus", status);
        if (advisories.Length > 0)
        {
            writer.WriteStartArray("advisoryIDs");
            foreach (var advisory in advisories)
                writer.WriteStringValue(advisory);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void WriteComponents(Utf8JsonWriter writer, string name, byte[] components)
    {
        writer.WriteStartArray(name);
        foreach (var svn in components)
        {
            writer.WriteStartObject();
            writer.WriteNumber("svn", svn);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
