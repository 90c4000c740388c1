using System.Text.Json.Nodes;
using Kist.KeyBroker.Protocol;

namespace Kist.Enclaves.Attestation;

/// <summary>An enclave as the key broker's guest: evidence is {"quote": base64}.</summary>
/// <param name="quoter">Quotes.</param>
public sealed class SgxEvidenceSource(IEnclaveQuoter quoter) : IGuestEvidenceSource
{
    /// <inheritdoc/>
    public string Tee => "sgx";

    /// <inheritdoc/>
    public async Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
    {
        var quote = await quoter.QuoteAsync(reportData, cancellationToken).ConfigureAwait(false);
        return System.Text.Encoding.UTF8.GetBytes(new JsonObject { ["quote"] = Convert.ToBase64String(quote) }.ToJsonString());
    }
}
