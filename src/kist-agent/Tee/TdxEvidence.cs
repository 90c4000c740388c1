using System.Buffers;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Agent.Tee;

/// <summary>What TDX evidence looks like on the wire, and the fields of a quote that the guest itself reads.</summary>
static class TdxEvidence
{
    public const int ReportDataSize = 64, MrConfigIdSize = 48;

    /// <summary>Header (48 bytes), then MRCONFIGID at 0xb8 of the TD report body (Intel DCAP quoting library, sgx_report2_body_t).</summary>
    private const int HeaderSize = 48, MrConfigIdOffset = HeaderSize + 0xb8;

    /// <summary>Zero-pads the digest to bind to the field's size.</summary>
    public static byte[] PadReportData(ReadOnlyMemory<byte> digest)
    {
        if (digest.Length > ReportDataSize)
            throw new ArgumentException($"longer than the {ReportDataSize} bytes of REPORTDATA", nameof(digest));
        var padded = new byte[ReportDataSize];
        digest.CopyTo(padded);
        return padded;
    }

    public static byte[] MrConfigIdOf(ReadOnlySpan<byte> quote)
    {
        if (quote.Length < MrConfigIdOffset + MrConfigIdSize)
            throw new MalformedDataException("TDX quote", quote.Length, "ends before MRCONFIGID");
        return quote.Slice(MrConfigIdOffset, MrConfigIdSize).ToArray();
    }

    /// <summary>{"quote":base64,"cc_eventlog":base64 or null}, as Trustee's attester writes it.</summary>
    public static ReadOnlyMemory<byte> ToJson(ReadOnlySpan<byte> quote, ReadOnlySpan<byte> eventLog)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteBase64String("quote", quote);
            if (eventLog.IsEmpty)
                json.WriteNull("cc_eventlog");
            else
                json.WriteBase64String("cc_eventlog", eventLog);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}
