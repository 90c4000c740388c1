using System.Collections.Frozen;

namespace Kist.Attestation;

/// <summary>Refuses evidence that names no chip where a policy allows only some: the rule must not silently not apply.</summary>
internal static class ChipCheck
{
    /// <summary>The TEEs whose verifiers compare the chip themselves.</summary>
    private static readonly FrozenSet<string> s_named =
        FrozenSet.Create(StringComparer.Ordinal, "sgx", "tdx", "az-tdx-vtpm", "snp", "az-snp-vtpm", "sev", "csv");

    public static void Run(TcbPolicy policy, VerdictBuilder verdict)
    {
        if (policy.AllowedChips is { } chips && !s_named.Contains(verdict.Tee))
        {
            verdict.Fail("evidence.chip", $"evidence of {verdict.Tee} names no chip, so it cannot be one of those allowed", $"one of {chips.Count} allowed chips", "no chip",
                "judge evidence of this kind under a policy without allowed_chips");
        }
    }
}
