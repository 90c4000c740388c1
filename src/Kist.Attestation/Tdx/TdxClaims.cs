using System.Text.Json;
using Kist.Attestation.Dcap;
using Kist.Attestation.EventLogs;

namespace Kist.Attestation.Tdx;

/// <summary>Claims of a TDX quote, in the names of Trustee's tdx verifier.</summary>
/// <param name="Quote">The quote.</param>
/// <param name="Report">Its report body.</param>
/// <param name="Platform">What is known of the platform.</param>
/// <param name="EventLog">The event log; null if none was given, or if it does not replay to the quote's registers.</param>
public sealed record TdxClaims(DcapQuote Quote, TdReport Report, DcapClaims Platform, EventLog? EventLog) : TeeClaims
{
    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> ReportData => Report.ReportData;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> InitDataField => Report.MrConfigId;

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("quote");
        DcapClaims.WriteHeader(writer, Quote);
        if (Quote.Version == 5)
        {
            writer.WriteHex("type", Quote.Raw.Span.Slice(48, 2));
            writer.WriteHex("size", Quote.Raw.Span.Slice(50, 4));
        }

        WriteBody(writer);
        writer.WriteEndObject();
        TdAttributes.Write(writer, Report);
        if (EventLog is { } log)
        {
            writer.WritePropertyName("uefi_event_logs");
            EventLogJson.Write(writer, log);
        }

        writer.WriteHex("report_data", Report.ReportData.Span);
        writer.WriteHex("init_data", Report.MrConfigId.Span);
        Platform.WriteMembers(writer);
        writer.WriteEndObject();
    }

    private void WriteBody(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("body");
        writer.WriteHex("tcb_svn", Report.TeeTcbSvn.Span);
        writer.WriteHex("mr_seam", Report.MrSeam.Span);
        writer.WriteHex("mrsigner_seam", Report.MrSignerSeam.Span);
        writer.WriteHex("seam_attributes", Report.SeamAttributes.Span);
        writer.WriteHex("td_attributes", Report.TdAttributes.Span);
        writer.WriteHex("xfam", Report.Xfam.Span);
        writer.WriteHex("mr_td", Report.MrTd.Span);
        writer.WriteHex("mr_config_id", Report.MrConfigId.Span);
        writer.WriteHex("mr_owner", Report.MrOwner.Span);
        writer.WriteHex("mr_owner_config", Report.MrOwnerConfig.Span);
        for (var i = 0; i < 4; i++)
            writer.WriteHex($"rtmr_{i}", Report.Rtmr(i).Span);
        writer.WriteHex("report_data", Report.ReportData.Span);
        if (Report.IsVersion15)
        {
            writer.WriteHex("tee_tcb_svn2", Report.TeeTcbSvn2.Span);
            writer.WriteHex("mr_servicetd", Report.MrServiceTd.Span);
        }

        writer.WriteEndObject();
    }
}
