using System.Collections.Immutable;
using Kist.Attestation.Se;
using Kist.Attestation.Snp;
using Kist.Attestation.Tpm;

namespace Kist.Attestation;

/// <summary>How evidence is to be judged. Immutable; one instance may serve many verifications at the same time.</summary>
public sealed record VerificationOptions
{
    /// <summary>The time as of which certificates, CRLs and collateral must be valid.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The roots in force. Without more, the hardware vendors' own, and no simulation's.</summary>
    public TrustAnchorSet Anchors { get; init; } = VendorAnchors.All;

    /// <summary>Where vendors' statements are looked up. Without more, none are known, and what needs them fails.</summary>
    public ICollateralSource Collateral { get; init; } = NoCollateral.Instance;

    /// <summary>True to accept evidence of a simulated platform (which protects nothing).</summary>
    public bool AllowSimulated { get; init; }

    /// <summary>True to accept a TEE into which whoever runs the machine may look.</summary>
    public bool AllowDebug { get; init; }

    /// <summary>What state of firmware and microcode is good enough.</summary>
    public TcbPolicy Tcb { get; init; } = TcbPolicy.Default;

    /// <summary>What is acceptable of SEV-SNP guests.</summary>
    public SnpPolicy Snp { get; init; } = SnpPolicy.Default;

    /// <summary>The secrets of the request that IBM Secure Execution evidence answers.</summary>
    public SePolicy Se { get; init; } = SePolicy.Default;

    /// <summary>What is acceptable of TPMs.</summary>
    public TpmPolicy Tpm { get; init; } = TpmPolicy.Default;

    /// <summary>Values that named claims must have. Empty: measurements are reported, not judged.</summary>
    public ImmutableArray<ReferenceValue> References { get; init; } = [];
}
