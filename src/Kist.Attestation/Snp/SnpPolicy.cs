using System.Collections.Frozen;

namespace Kist.Attestation.Snp;

/// <summary>What is acceptable of genuine SNP evidence, beside the TCB and reference values. The defaults refuse what weakens a guest.</summary>
public sealed record SnpPolicy
{
    /// <summary>The defaults.</summary>
    public static SnpPolicy Default { get; } = new();

    /// <summary>
    /// Highest VMPL (0 is the most privileged) at which the report may have been asked for. 0: only the most privileged
    /// software of the guest. Guests under a paravisor or SVSM attest from a higher number. Null: any of 0 to 3.
    /// </summary>
    public int? MaximumVmpl { get; init; } = 0;

    /// <summary>True to accept a guest whose policy lets a migration agent export it to another machine.</summary>
    public bool AllowMigrationAgent { get; init; }

    /// <summary>True to accept firmware that is running but not committed, so that it may still be rolled back.</summary>
    public bool AllowProvisionalFirmware { get; init; } = true;

    /// <summary>Acceptable SHA-384 digests of the ID key, hexadecimal in lower case. Null: any, or none.</summary>
    public FrozenSet<string>? IdKeyDigests { get; init; }

    /// <summary>Acceptable SHA-384 digests of the author key, hexadecimal in lower case. Null: any, or none.</summary>
    public FrozenSet<string>? AuthorKeyDigests { get; init; }

    /// <summary>Acceptable cloud providers of a VLEK, such as "CN=cc-us-east-2.amazonaws.com". Null: any.</summary>
    public FrozenSet<string>? CloudProviders { get; init; }

    /// <summary>Mitigations that must be in force, as bits of LAUNCH_MIT_VECTOR and CURRENT_MIT_VECTOR. Zero: none.</summary>
    public ulong RequiredMitigations { get; init; }
}
