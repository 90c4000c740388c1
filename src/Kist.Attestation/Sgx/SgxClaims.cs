using System.Text.Json;
using Kist.Attestation.Dcap;

namespace Kist.Attestation.Sgx;

/// <summary>Claims of an SGX quote, in the names of Trustee's sgx verifier.</summary>
/// <param name="Quote">The quote.</param>
/// <param name="Report">Its report body.</param>
/// <param name="Platform">What is known of the platform.</param>
public sealed record SgxClaims(DcapQuote Quote, EnclaveReport Report, DcapClaims Platform) : TeeClaims
{
    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> ReportData => Report.ReportData;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> InitDataField => Report.ConfigId;

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        DcapClaims.WriteHeader(writer, Quote);
        WriteBody(writer);
        writer.WriteHex("report_data", Report.ReportData.Span);
        writer.WriteHex("init_data", Report.ConfigId.Span);
        writer.WriteBoolean("debug", Report.IsDebug);
        Platform.WriteMembers(writer);
        writer.WriteEndObject();
    }

    private void WriteBody(Utf8JsonWriter writer)
    {
        var body = Report.Raw.Span;
        writer.WriteStartObject("body");
        writer.WriteHex("cpu_svn", body[..16]);
        writer.WriteHex("misc_select", body[16..20]);
        writer.WriteHex("reserved1", body[20..32]);
        writer.WriteHex("isv_ext_prod_id", body[32..48]);
        writer.WriteHex("attributes.flags", body[48..56]);
        writer.WriteHex("attributes.xfrm", body[56..64]);
        writer.WriteHex("mr_enclave", body[64..96]);
        writer.WriteHex("reserved2", body[96..128]);
        writer.WriteHex("mr_signer", body[128..160]);
        writer.WriteHex("reserved3", body[160..192]);
        writer.WriteHex("config_id", body[192..256]);
        writer.WriteHex("isv_prod_id", body[256..258]);
        writer.WriteHex("isv_svn", body[258..260]);
        writer.WriteHex("config_svn", body[260..262]);
        writer.WriteHex("reserved4", body[262..304]);
        writer.WriteHex("isv_family_id", body[304..320]);
        writer.WriteHex("report_data", body[320..384]);
        writer.WriteEndObject();
    }
}
