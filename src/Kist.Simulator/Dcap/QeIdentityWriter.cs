using System.Text.Json;

namespace Kist.Simulator.Dcap;

/// <summary>Writes the identity of a quoting enclave (Intel PCS API, Enclave Identity Model v2).</summary>
static class QeIdentityWriter
{
    public static void Write(
        Utf8JsonWriter writer, SimulatedQuotingEnclave enclave, DateTimeOffset issued, DateTimeOffset nextUpdate, SimulatedCollateralOptions options)
    {
        var signer = SimulatedQuotingEnclave.MrSigner;
        if (options.OtherQuotingEnclave)
            signer[0] ^= 1;
        writer.WriteString("id", enclave.Id);
        writer.WriteNumber("version", 2);
        writer.WriteString("issueDate", SignedStatement.Time(issued));
        writer.WriteString("nextUpdate", SignedStatement.Time(nextUpdate));
        writer.WriteNumber("tcbEvaluationDataNumber", options.TcbEvaluationDataNumber);
        writer.WriteString("miscselect", "00000000");
        writer.WriteString("miscselectMask", "FFFFFFFF");
        writer.WriteString("attributes", Convert.ToHexString(SimulatedQuotingEnclave.Attributes));
        writer.WriteString("attributesMask", "FBFFFFFFFFFFFFFF0000000000000000");
        writer.WriteString("mrsigner", Convert.ToHexString(signer));
        writer.WriteNumber("isvprodid", enclave.ProductId);
        writer.WriteStartArray("tcbLevels");
        WriteLevel(writer, options.QuotingEnclaveOutOfDate ? enclave.Svn + 1 : enclave.Svn, "2025-06-01T00:00:00Z", "UpToDate");
        WriteLevel(writer, 1, "2024-03-01T00:00:00Z", "OutOfDate");
        writer.WriteEndArray();
    }

    private static void WriteLevel(Utf8JsonWriter writer, int svn, string date, string status)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("tcb");
        writer.WriteNumber("isvsvn", svn);
        writer.WriteEndObject();
        writer.WriteString("tcbDate", date);
        writer.WriteString("tcbStatus", status);
        writer.WriteEndObject();
    }
}
