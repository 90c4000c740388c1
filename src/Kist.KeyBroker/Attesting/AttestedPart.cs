using System.Text.Json;
using Kist.Attestation;
using Kist.KeyBroker.Hosting;

namespace Kist.KeyBroker.Attesting;

/// <summary>
/// One part of the machine that was attested: a submodule of the token. It can be made from an accepted verdict only.
/// </summary>
sealed class AttestedPart
{
    private AttestedPart(string name, Verdict verdict, JsonElement evidence)
    {
        Name = name;
        Verdict = verdict;
        AnnotatedEvidence = evidence;
    }

    /// <summary>The submodule's name: "cpu0", "gpu0", …</summary>
    public string Name { get; }

    /// <summary>The accepted verdict.</summary>
    public Verdict Verdict { get; }

    /// <summary>
    /// Input of the attestation policy, in Trustee's shape: the claims under the TEE's name, report_data, init_data,
    /// init_data_claims, runtime_data_claims; and Kist's own "kist".
    /// </summary>
    public JsonElement AnnotatedEvidence { get; }

    /// <summary>What the policy concluded. Set once it was evaluated.</summary>
    public TrustVector Trust { get; set; } = new();

    /// <summary>Extensions that the policy asked for, or null.</summary>
    public JsonElement? Extensions { get; set; }

    /// <summary>Annotates an accepted verdict.</summary>
    /// <exception cref="InvalidOperationException">The verdict was not accepted, or carries no claims.</exception>
    public static AttestedPart Create(string name, Verdict verdict, InitData? initData, JsonElement runtimeData)
    {
        if (!verdict.IsAccepted || verdict.Claims is not { } claims)
            throw new InvalidOperationException("only an accepted verdict makes a part of a token");
        var annotated = JsonBytes.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WritePropertyName(verdict.Tee);
            claims.WriteTo(writer);
            writer.WriteString("report_data"u8, Convert.ToHexStringLower(claims.ReportData.Span));
            if (claims.InitDataField.Length > 0)
                writer.WriteString("init_data"u8, Convert.ToHexStringLower(claims.InitDataField.Span));
            if (initData is not null)
            {
                writer.WritePropertyName("init_data_claims"u8);
                initData.WriteClaims(writer);
            }

            writer.WritePropertyName("runtime_data_claims"u8);
            runtimeData.WriteTo(writer);
            writer.WriteStartObject("kist"u8);
            writer.WriteBoolean("simulated"u8, verdict.IsSimulated);
            writer.WriteBoolean("debug"u8, verdict.IsDebug);
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
        // Not disposed, nor copied: the bytes are this document's own, and live as long as the part.
        return new AttestedPart(name, verdict, JsonDocument.Parse(annotated, new JsonDocumentOptions { MaxDepth = 128 }).RootElement);
    }
}
