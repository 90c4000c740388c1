using System.Security.Cryptography;
using System.Text.Json;

namespace Kist.Attestation.Se;

/// <summary>
/// IBM Secure Execution in the table of TEEs. Nothing in this evidence is signed: its measurement is keyed to the request, and
/// the key reaches the ultravisor encrypted to a host key document (<see cref="SeHostKeyDocument"/>).
/// </summary>
internal sealed class SeTee : ITeeVerifier
{
    private const string Spec = "s390-tools, pv crate, uvattest";

    public string Tee => "se";

    public IEnumerable<FindingExplanation> Explanations =>
    [
        new("se.measurement", "the ultravisor measured this guest for this request",
            "HMAC-SHA-512 under the measurement key of the request. Only whoever made the request knows the key; without it, the "
            + "evidence proves nothing to anybody and is refused.", Spec),
        new("se.host_key", "the request was made for a genuine host",
            "The measurement key is encrypted to host keys, whose documents IBM signs. Check them before making the request "
            + "(SeHostKeyDocument); a request to a forged host key would be answered by a forger.", Spec),
        new("se.binding.report_data", "the evidence was made for this request", "The first 64 bytes of the user data hold the value.", Spec),
        new("se.binding.init_data", "no field binds init-data", "SE guests carry their configuration in the image.", Spec),
        new("se.simulated", "the evidence is of real hardware", "The key belongs to a simulated platform."),
    ];

    public bool RecognisesBytes(ReadOnlySpan<byte> data) => false;

    public bool RecognisesJson(JsonElement evidence) => evidence.ValueKind == JsonValueKind.Object
        && evidence.TryGetProperty("image_hdr_tags", out _) && evidence.TryGetProperty("cuid", out _);

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        var parsed = SeEvidence.Read(evidence);
        verdict.Claims = new SeClaims(parsed);
        CheckMeasurement(parsed, options.Se, verdict);
        verdict.NotChecked("se.host_key", "whether the request was encrypted to a genuine host key was for its maker to check, before it was sent",
            "verify the host key documents with SeHostKeyDocument when making requests", Spec);
        BindingCheck.ReportData(verdict, binding.ReportData, verdict.Claims.ReportData.Span);
        if (binding.InitDataDigest is not null)
        {
            verdict.Fail("se.binding.init_data", "no field of SE evidence binds init-data", "no announced init-data", "announced",
                "do not announce init-data on SE", Spec);
        }
    }

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var parsed = SeEvidence.Read(evidence);
        EvidenceField Hex(string path, ReadOnlyMemory<byte> value, string? meaning) => new(path, -1, value.Length, Convert.ToHexStringLower(value.Span), meaning);
        yield return Hex("measurement", parsed.Measurement, "HMAC-SHA-512 under the request's key");
        yield return Hex("header.page_list_digest", parsed.HeaderTags[..64], "of the SE header");
        yield return Hex("header.address_list_digest", parsed.HeaderTags[64..128], "of the SE header");
        yield return Hex("header.tweak_list_digest", parsed.HeaderTags[128..192], "of the SE header");
        yield return Hex("header.tag", parsed.Tag, "stands for the image");
        yield return Hex("cuid", parsed.ConfigurationId, "one a guest instance");
        yield return Hex("user_data", parsed.UserData, "chosen by the guest");
        yield return Hex("additional_data", parsed.AdditionalData, "hashes of the host keys for image and attestation");
    }

    private static void CheckMeasurement(SeEvidence evidence, SePolicy policy, VerdictBuilder verdict)
    {
        const string id = "se.measurement";
        if (policy.MeasurementKey.IsEmpty)
        {
            verdict.Fail(id, "the measurement is keyed to the request, and its key was not given", "the request's measurement key (64 bytes)", "none",
                "judge the evidence where the attestation request was made", Spec);
            return;
        }

        var expected = SeMeasurement.Compute(policy.MeasurementKey.Span, evidence.HeaderTags.Span, evidence.ConfigurationId.Span,
            evidence.UserData.Span, policy.RequestNonce.Span, evidence.AdditionalData.Span);
        // The right value is not told: with it, whoever changed the evidence could make it pass.
        verdict.Check(id, CryptographicOperations.FixedTimeEquals(expected, evidence.Measurement.Span), "the ultravisor must have measured this guest for this request",
            "the HMAC of these fields", Convert.ToHexStringLower(evidence.Measurement.Span),
            "the evidence was changed, or answers another request: ask again", Spec);
    }
}
