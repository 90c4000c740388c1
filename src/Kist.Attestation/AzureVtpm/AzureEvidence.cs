using System.Collections.Immutable;
using System.Text.Json;
using Kist.Attestation.Tpm;
using Kist.Formats;

namespace Kist.Attestation.AzureVtpm;

/// <summary>Evidence of an Azure confidential machine, of whichever version.</summary>
/// <param name="Hcl">The paravisor's report.</param>
/// <param name="Runtime">The document in it.</param>
/// <param name="Quote">The vTPM's quote.</param>
/// <param name="Signature">The quote's signature: RSASSA with SHA-256, as Azure's vTPM makes it.</param>
/// <param name="Pcrs">Register values of the SHA-256 bank.</param>
/// <param name="Endorsement">SNP: the VCEK certificate, PEM or DER; TDX: the quote.</param>
/// <param name="Version">0 before versions were written down, then 1 or 2.</param>
internal sealed record AzureEvidence(
    HclReport Hcl, HclRuntimeData Runtime, TpmQuote Quote, TpmSignature Signature, ImmutableArray<ReadOnlyMemory<byte>> Pcrs,
    ReadOnlyMemory<byte> Endorsement, int Version)
{
    private const string Structure = "Azure vTPM evidence";

    /// <summary>
    /// Reads Trustee's JSON. Versions 1 and 2: {version, tpm_quote{signature, message, pcrs[]} in hexadecimal, hcl_report and
    /// vcek or td_quote in base64url}. Version 0: {quote or tpm_quote, report or hcl_report, vcek in PEM or td_quote}, bytes
    /// as arrays of numbers.
    /// </summary>
    public static AzureEvidence Read(Evidence evidence, bool tdx)
    {
        if (evidence.Json is not { } json)
            throw new MalformedDataException(Structure, -1, "it must be JSON with a TPM quote and the HCL report");
        var version = EvidenceJson.Optional(json, "version", Structure) is null ? 0UL : EvidenceJson.RequireUInt64(json, "version", Structure);
        if (version > 2)
            throw new MalformedDataException(Structure, -1, $"version {version} is not known");
        var hasNames = EvidenceJson.Optional(json, "tpm_quote", Structure) is not null;
        var quote = EvidenceJson.Require(json, hasNames ? "tpm_quote" : "quote", Structure);
        var hcl = HclReport.Parse(Bytes(json, hasNames ? "hcl_report" : "report"));
        return new AzureEvidence(
            hcl,
            HclRuntimeData.Parse(hcl.RuntimeData.Span),
            TpmQuoteReader.Parse(QuoteBytes(quote, "message")),
            new TpmSignature(TpmAlgorithm.RsaSsa, TpmAlgorithm.Sha256, QuoteBytes(quote, "signature"), default),
            TpmEvidence.ReadPcrs(quote),
            tdx ? Bytes(json, "td_quote") : Certificate(json),
            (int)version);
    }

    private static byte[] QuoteBytes(JsonElement quote, string name) =>
        EvidenceJson.Require(quote, name, Structure).ValueKind == JsonValueKind.Array
            ? EvidenceJson.RequireByteArray(quote, name, -1, Structure)
            : EvidenceJson.RequireHex(quote, name, Structure);

    private static byte[] Bytes(JsonElement json, string name) =>
        EvidenceJson.Require(json, name, Structure).ValueKind == JsonValueKind.Array
            ? EvidenceJson.RequireByteArray(json, name, -1, Structure)
            : EvidenceJson.RequireBase64Url(json, name, Structure);

    private static byte[] Certificate(JsonElement json)
    {
        if (EvidenceJson.Optional(json, "vcek", Structure) is null)
            return [];
        var text = EvidenceJson.RequireString(json, "vcek", Structure);
        return text.StartsWith("-----BEGIN", StringComparison.Ordinal)
            ? System.Text.Encoding.UTF8.GetBytes(text)
            : EvidenceJson.RequireBase64Url(json, "vcek", Structure);
    }
}
