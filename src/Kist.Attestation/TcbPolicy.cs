using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Kist.Attestation;

/// <summary>
/// What state of a platform's trusted computing base (firmware, microcode, vendor's enclaves and modules) is good enough.
/// Statuses are the vendors' own words; where a vendor has none (AMD), the minimum versions below apply.
/// </summary>
public sealed record TcbPolicy
{
    /// <summary>
    /// UpToDate, and SWHardeningNeeded (which asks for care in the software of the enclave, not for an update).
    /// </summary>
    public static TcbPolicy Default { get; } = new();

    /// <summary>Statuses that are accepted, in Intel's spelling. Comparison is exact.</summary>
    public FrozenSet<string> AcceptedStatuses { get; init; } =
        FrozenSet.Create(StringComparer.Ordinal, "UpToDate", "SWHardeningNeeded");

    /// <summary>
    /// How long after a newer TCB level was published an older one is still accepted: an out-of-date platform passes if
    /// the date of its TCB level plus this span is not before the time of judgement. Zero: no grace.
    /// </summary>
    public TimeSpan GracePeriod { get; init; } = TimeSpan.Zero;

    /// <summary>
    /// Advisories (such as "INTEL-SA-00615") that are accepted on a platform whose status is accepted. Null: any.
    /// </summary>
    public FrozenSet<string>? AcceptedAdvisories { get; init; }

    /// <summary>Advisories that are never accepted, whatever the status.</summary>
    public FrozenSet<string> RejectedAdvisories { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Least acceptable tcbEvaluationDataNumber of Intel's collateral. Zero: any that is valid at the time.</summary>
    public int MinimumEvaluationDataNumber { get; init; }

    /// <summary>Least acceptable security version number of the enclave (ISVSVN) or guest (GUEST_SVN).</summary>
    public int MinimumGuestSvn { get; init; }

    /// <summary>
    /// Least acceptable values of named TCB components as the claims call them (such as "reported_tcb_snp", 20).
    /// </summary>
    public ImmutableDictionary<string, int> MinimumComponents { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>
    /// True to refuse a TDX guest without SEPT_VE_DISABLE, whose owner may inject exceptions by unmapping memory. (Linux
    /// guests check this by themselves since 6.2; other guests may handle the exceptions.)
    /// </summary>
    public bool RequireSeptVeDisable { get; init; }

    /// <summary>
    /// Platforms that may be used, by hexadecimal identity in lower case: CHIP_ID for AMD, PPID or FMSPC for Intel.
    /// Null: any.
    /// </summary>
    public FrozenSet<string>? AllowedChips { get; init; }
}
