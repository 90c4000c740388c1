using System.Collections.Immutable;
using Kist.Measurement.Manifests;

namespace Kist.Measurement.Matching;

/// <summary>A combination of artefacts and presets, and what it would measure.</summary>
/// <param name="Name">For people: "qemu8, 512 MiB".</param>
/// <param name="Manifest">The prediction.</param>
public sealed record MatchCandidate(string Name, MeasurementManifest Manifest);

/// <summary>Compares the registers of a piece of evidence with predictions, each register for itself.</summary>
public static class RegisterMatcher
{
    private const int MaximumReasons = 12;

    /// <summary>Says which candidates explain each register, or what of the nearest one does not fit.</summary>
    /// <param name="evidence">The registers of the evidence, with the events of its log if it has one.</param>
    /// <param name="candidates">At least one.</param>
    /// <param name="registers">The registers to look at; null for all that both the evidence and a candidate have.</param>
    public static MatchResult Match(MeasurementManifest evidence, IReadOnlyList<MatchCandidate> candidates, IReadOnlyCollection<string>? registers = null)
    {
        if (candidates.Count == 0)
            throw LaunchNotPossible.Because("artefacts", "no combination of them gives a launch");
        var names = evidence.Registers.Select(r => r.Name)
            .Where(name => registers is null ? candidates.Any(c => c.Manifest.Find(name) is not null) : registers.Contains(name));
        return new MatchResult(evidence.Tee, [.. names.Select(name => Match(name, evidence, candidates))], candidates.Count);
    }

    private static RegisterMatch Match(string name, MeasurementManifest evidence, IReadOnlyList<MatchCandidate> candidates)
    {
        var value = evidence.Find(name)!.Value;
        var fitting = candidates.Where(c => c.Manifest.Find(name) == value).Select(c => c.Name).ToImmutableArray();
        if (!fitting.IsEmpty)
            return new RegisterMatch(name, value, true, fitting);

        if (candidates.All(c => c.Manifest.Steps.All(s => s.Register != name || s.Kind == "pages")))
            return new RegisterMatch(name, value, false, [Pages(name)]);

        // Not explained: of the log's events, those that no candidate predicts are the reason.
        var logged = evidence.Steps.Where(s => s.Register == name).ToList();
        if (logged.Count == 0)
            return new RegisterMatch(name, value, false, ["no candidate gives this value; an event log beside the evidence would say which event differs"]);
        var nearest = candidates.MaxBy(c => logged.Count(s => c.Manifest.Steps.Any(p => p.Register == name && p.Digest == s.Digest)))!;
        var reasons = logged.Where(s => !nearest.Manifest.Steps.Any(p => p.Register == name && p.Digest == s.Digest))
            .Select(s => $"event {s.Kind} \"{s.Description}\" {s.Digest} is not predicted")
            .Concat(nearest.Manifest.Steps.Where(p => p.Register == name && logged.All(s => s.Digest != p.Digest))
                .Select(p => $"predicted {p.Description} [{p.Input}] {p.Digest} is not in the log"))
            .ToList();
        if (reasons.Count == 0)
            reasons.Add("the same events in another order, or one of them more than once");
        return new RegisterMatch(name, value, false, [$"nearest: {nearest.Name}", .. reasons.Take(MaximumReasons)]);
    }

    private static string Pages(string name) => name switch
    {
        "mrtd" => "no candidate gives this value: it is another firmware image, or a monitor of a generation that is not known here",
        "mrsigner" => "the enclave was signed with another key",
        _ => "no candidate gives this value: it is of another image",
    };
}
