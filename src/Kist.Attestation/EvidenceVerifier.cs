using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>Judges evidence of any TEE. The only maker of verdicts.</summary>
public static class EvidenceVerifier
{
    /// <summary>The names of all TEEs whose evidence can be judged.</summary>
    public static IEnumerable<string> Tees => TeeVerifierTable.All.Select(v => v.Tee);

    /// <summary>Judges evidence in the JSON form in which guests send it to a key broker.</summary>
    /// <param name="tee">The TEE's name on the wire.</param>
    /// <param name="evidence">The evidence, in Trustee's shape for that TEE.</param>
    /// <param name="binding">What the evidence has to bind.</param>
    /// <param name="options">How to judge.</param>
    /// <exception cref="MalformedDataException">The evidence does not follow its format.</exception>
    public static Verdict Verify(string tee, JsonElement evidence, ExpectedBinding binding, VerificationOptions options) =>
        Verify(new Evidence { Tee = tee, Json = evidence }, binding, options);

    /// <summary>Judges evidence in any form.</summary>
    /// <exception cref="MalformedDataException">The evidence does not follow its format.</exception>
    public static Verdict Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options) => Verify(evidence, binding, options, null);

    /// <summary>Judges evidence after checks of whoever brought it.</summary>
    /// <param name="evidence">The evidence.</param>
    /// <param name="binding">What the evidence has to bind.</param>
    /// <param name="options">How to judge.</param>
    /// <param name="before">Adds the findings that come first, or null.</param>
    /// <exception cref="MalformedDataException">The evidence does not follow its format.</exception>
    internal static Verdict Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, Action<VerdictBuilder>? before)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(binding);
        ArgumentNullException.ThrowIfNull(options);
        if (evidence.Bytes.Length > EvidenceLimits.Evidence)
            throw new MalformedDataException("evidence", -1, $"{evidence.Bytes.Length} bytes, more than the limit of {EvidenceLimits.Evidence}");

        var verdict = new VerdictBuilder(evidence.Tee, options.Time);
        before?.Invoke(verdict);
        if (TeeVerifierTable.Find(evidence.Tee) is { } verifier)
        {
            StrictJson.Guard("evidence", () =>
            {
                verifier.Verify(evidence, binding, options, verdict);
                return true;
            });
            ChipCheck.Run(options.Tcb, verdict);
            ReferenceCheck.Run(options.References, verdict);
            SimulationCheck.Run(options, verdict);
        }
        else
        {
            verdict.Fail(
                "evidence.tee", "evidence of this kind cannot be judged here", string.Join(", ", Tees), evidence.Tee,
                "check the name of the TEE, or use a version of kist that knows it");
        }

        return verdict.Build();
    }
}
