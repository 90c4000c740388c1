using System.Collections.Immutable;

namespace Kist.Attestation.Tpm;

/// <summary>TPMS_PCR_SELECTION: which registers of one bank a quote covers.</summary>
/// <param name="Bank">The hash of the bank.</param>
/// <param name="Indexes">The registers, lowest first.</param>
public sealed record TpmPcrSelection(TpmAlgorithm Bank, ImmutableArray<int> Indexes)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Bank.ToString().ToLowerInvariant()}:{string.Join(',', Indexes)}";
}
