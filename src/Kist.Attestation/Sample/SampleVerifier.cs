using System.Security.Cryptography;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>
/// The protocol's "sample" TEE: an unsigned statement <c>{"svn":"1","report_data":"base64"}</c> for trying a broker
/// without any platform. It counts as simulated, and so is refused unless that is explicitly allowed.
/// </summary>
internal sealed class SampleVerifier : ITeeVerifier
{
    private const int MaxReportDataBytes = 64;

    public string Tee => "sample";

    public IEnumerable<FindingExplanation> Explanations =>
    [
        new("sample.report_data", "the evidence was made for this request", "Sample evidence is unsigned JSON: anybody can write the value that was asked for."),
        new("sample.init_data", "the guest was started with the announced configuration", "Sample evidence has no field that would bind it."),
    ];

    public bool RecognisesBytes(ReadOnlySpan<byte> data) => false;

    public bool RecognisesJson(JsonElement evidence) =>
        evidence.ValueKind == JsonValueKind.Object
        && evidence.TryGetProperty("svn", out _) && evidence.TryGetProperty("report_data", out _);

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        verdict.IsSimulated = true;
        if (evidence.Json is not { ValueKind: JsonValueKind.Object } json)
            throw new MalformedDataException("sample evidence", -1, "it must be a JSON object");
        var claims = new SampleClaims(
            StrictJson.RequiredText(json, "svn", "sample evidence"), ReadBase64(StrictJson.RequiredText(json, "report_data", "sample evidence")));
        verdict.Claims = claims;
        if (binding.ReportData is { } expected)
        {
            verdict.Check(
                "sample.report_data",
                expected.Length > 0 && CryptographicOperations.FixedTimeEquals(expected.Span, claims.Report.Span),
                "the evidence was made for this handshake",
                Convert.ToHexStringLower(expected.Span),
                Convert.ToHexStringLower(claims.Report.Span),
                "attest again with a fresh nonce");
        }
        else
        {
            verdict.NotChecked("sample.report_data", "no report data was given to compare with");
        }

        verdict.NotChecked("sample.init_data", "sample evidence binds no init-data");
    }

    public IEnumerable<EvidenceField> Inspect(Evidence evidence) => [];

    private static byte[] ReadBase64(string text)
    {
        var bytes = new byte[MaxReportDataBytes];
        return Convert.TryFromBase64String(text, bytes, out var length)
            ? bytes[..length]
            : throw new MalformedDataException("sample evidence", -1, $"\"report_data\" must be base64 of at most {MaxReportDataBytes} bytes");
    }
}
