using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>Finds the quote in evidence of either form.</summary>
internal static class DcapEvidence
{
    /// <summary>True if this JSON has a quote of that TEE in member "quote", in base64 or hexadecimal.</summary>
    public static bool HasQuote(JsonElement evidence, bool tdx)
    {
        if (evidence.ValueKind != JsonValueKind.Object || !evidence.TryGetProperty("quote", out var quote) || quote.ValueKind != JsonValueKind.String)
            return false;
        return DcapQuoteReader.LooksLikeQuote(Decode(quote), tdx);
    }

    /// <summary>Reads the quote.</summary>
    /// <exception cref="MalformedDataException">There is none, or it does not follow its format, or it is of the other TEE.</exception>
    public static DcapQuote ReadQuote(Evidence evidence, bool tdx)
    {
        var structure = tdx ? "tdx evidence" : "sgx evidence";
        var bytes = evidence.Bytes;
        if (evidence.Json is { } json)
        {
            bytes = Decode(EvidenceJson.Require(json, "quote", structure));
            if (bytes.IsEmpty)
                throw new MalformedDataException(structure, -1, "member quote is not base64");
        }

        var quote = DcapQuoteReader.Read(bytes);
        return quote.IsTdx == tdx
            ? quote
            : throw new MalformedDataException(structure, 4, $"the quote is of {(quote.IsTdx ? "tdx" : "sgx")}");
    }

    /// <summary>The log given with the evidence; empty if there is none.</summary>
    public static ReadOnlyMemory<byte> EventLog(Evidence evidence)
    {
        if (!evidence.EventLog.IsEmpty || evidence.Json is not { } json)
            return evidence.EventLog;
        return EvidenceJson.OptionalBase64(json, "cc_eventlog", "tdx evidence") ?? default(ReadOnlyMemory<byte>);
    }

    /// <summary>
    /// Base64 as Trustee has it; hexadecimal as dstack has it. A quote in base64 starts with "AwAC", "BAAC" or "BQAC", which
    /// is never the hexadecimal form's "0300", "0400" or "0500". Empty if it is neither.
    /// </summary>
    private static byte[] Decode(JsonElement text)
    {
        if (text.ValueKind != JsonValueKind.String)
            return [];
        if (text.TryGetBytesFromBase64(out var bytes) && bytes.Length >= 2 && bytes[1] == 0)
            return bytes;
        try
        {
            return Convert.FromHexString(text.GetString()!);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            return [];
        }
    }
}
