namespace Kist.Attestation;

/// <summary>
/// One attestation with all that its judgement rested on: evidence, collateral, roots, policy and time. It can be judged again,
/// without a network, now or in years, and under another policy.
/// </summary>
/// <remarks>
/// Nothing in a bundle is trusted because it is there. Evidence and collateral are signed by their vendors; the roots are compared
/// with those of whoever judges, and never taken from the bundle.
/// </remarks>
public sealed record EvidenceBundle
{
    /// <summary>The evidence.</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>What the evidence had to bind.</summary>
    public required ExpectedBinding Binding { get; init; }

    /// <summary>How it was judged, with the collateral that was looked up and the roots that were in force.</summary>
    public required VerificationOptions Options { get; init; }

    /// <summary>Whether it was accepted, as recorded: a claim of whoever made the bundle.</summary>
    public required bool WasAccepted { get; init; }

    /// <summary>Judges evidence and makes a bundle of it.</summary>
    /// <param name="evidence">The evidence.</param>
    /// <param name="binding">What it has to bind.</param>
    /// <param name="options">How to judge.</param>
    /// <exception cref="Kist.Formats.MalformedDataException">The evidence does not follow its format.</exception>
    public static (EvidenceBundle Bundle, Verdict Verdict) Create(Evidence evidence, ExpectedBinding binding, VerificationOptions options)
    {
        var recorder = new CollateralRecorder(options.Collateral);
        var verdict = EvidenceVerifier.Verify(evidence, binding, options with { Collateral = recorder });
        var bundle = new EvidenceBundle
        {
            Evidence = evidence,
            Binding = binding,
            Options = options with { Collateral = recorder.Recorded },
            WasAccepted = verdict.IsAccepted,
        };
        return (bundle, verdict);
    }

    /// <summary>
    /// Judges the evidence again as it was judged then, but under the caller's roots; simulated and debuggable evidence must be
    /// allowed by the bundle and the caller both.
    /// </summary>
    /// <param name="anchors">The roots that the caller trusts.</param>
    /// <param name="allowSimulated">Whether the caller allows simulated evidence.</param>
    /// <param name="allowDebug">Whether the caller allows debuggable evidence.</param>
    public Verdict Verify(TrustAnchorSet anchors, bool allowSimulated = false, bool allowDebug = false) =>
        EvidenceVerifier.Verify(Evidence, Binding, Options with
        {
            Anchors = anchors,
            AllowSimulated = Options.AllowSimulated && allowSimulated,
            AllowDebug = Options.AllowDebug && allowDebug,

            // A reference value for a TPM's key is a root in all but name.
            References = Options.References.RemoveAll(r => r.Claim == "ak_public"),
        });
}
