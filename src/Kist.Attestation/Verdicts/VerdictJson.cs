using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kist.Attestation;

/// <summary>A verdict as JSON: the form of <c>kist verify --json</c>, audit records and bundles.</summary>
public static class VerdictJson
{
    private static readonly JsonWriterOptions s_indented = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// Writes {"tee","accepted","at","simulated","debug","decisiveFailure","findings":[{"id","outcome","expected",
    /// "actual","why","remedy","spec"}],"claims"}; members without a value are left out.
    /// </summary>
    public static void Write(Utf8JsonWriter writer, Verdict verdict)
    {
        writer.WriteStartObject();
        writer.WriteString("tee", verdict.Tee);
        writer.WriteBoolean("accepted", verdict.IsAccepted);
        writer.WriteString("at", Timestamp.Format(verdict.At));
        writer.WriteBoolean("simulated", verdict.IsSimulated);
        writer.WriteBoolean("debug", verdict.IsDebug);
        if (verdict.DecisiveFailure is { } decisive)
            writer.WriteString("decisiveFailure", decisive.Id);
        writer.WriteStartArray("findings");
        foreach (var finding in verdict.Findings)
            Write(writer, finding);
        writer.WriteEndArray();
        if (verdict.Claims is { } claims)
        {
            writer.WritePropertyName("claims");
            claims.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    /// <summary>The verdict as an indented document in UTF-8, with a final newline.</summary>
    public static byte[] ToUtf8(Verdict verdict)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, s_indented))
            Write(writer, verdict);
        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, Finding finding)
    {
        writer.WriteStartObject();
        writer.WriteString("id", finding.Id);
        writer.WriteString("outcome", finding.Outcome switch
        {
            FindingOutcome.Pass => "pass",
            FindingOutcome.Fail => "fail",
            _ => "notChecked",
        });
        WriteOptional(writer, "expected", finding.Expected);
        WriteOptional(writer, "actual", finding.Actual);
        writer.WriteString("why", finding.Why);
        WriteOptional(writer, "remedy", finding.Remedy);
        WriteOptional(writer, "spec", finding.SpecReference);
        writer.WriteEndObject();
    }

    private static void WriteOptional(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
            writer.WriteString(name, value);
    }
}
