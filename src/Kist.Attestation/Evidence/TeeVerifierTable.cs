using System.Collections.Immutable;

namespace Kist.Attestation;

/// <summary>Every TEE that this library judges, one line each, sorted by name. Two names may share a verifier's code.</summary>
internal static class TeeVerifierTable
{
    public static ImmutableArray<ITeeVerifier> All { get; } =
    [
        new AzureVtpm.AzureTee(tdx: false),
        new AzureVtpm.AzureTee(tdx: true),
        new Cca.CcaTee(),
        new Csv.CsvTee(),
        new Tokens.EarTee(),
        new Nitro.NitroTee(),
        new Nvidia.NvidiaTee(),
        new Psa.PsaTee(),
        new SampleVerifier(),
        new Se.SeTee(),
        new Sev.SevTee(),
        new Sgx.SgxVerifier(),
        new Snp.SnpTee(),
        new Tdx.TdxVerifier(),
        new Tpm.TpmTee(),
    ];

    /// <summary>The verifier of a TEE by its name on the wire, or null.</summary>
    public static ITeeVerifier? Find(string tee)
    {
        foreach (var verifier in All)
        {
            if (verifier.Tee == tee)
                return verifier;
        }

        return null;
    }
}
