using System.Text.Json;

namespace Kist.Attestation;

/// <summary>What a piece of evidence says once parsed. One derived record a TEE.</summary>
public abstract record TeeClaims
{
    /// <summary>The bytes that the guest chose to be signed, as in the evidence (64 for most TEEs).</summary>
    public abstract ReadOnlyMemory<byte> ReportData { get; }

    /// <summary>
    /// The field that binds the init-data document (MRCONFIGID, HOST_DATA, CONFIGID, PCR 8 …). Empty if the TEE has none.
    /// </summary>
    public abstract ReadOnlyMemory<byte> InitDataField { get; }

    /// <summary>
    /// Writes the claims as one JSON object, in the names and shapes that Trustee's verifier for this TEE gives them (so
    /// that policies written for it work), with more members where that verifier leaves facts out.
    /// </summary>
    public abstract void WriteTo(Utf8JsonWriter writer);
}
