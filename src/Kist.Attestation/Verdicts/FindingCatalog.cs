namespace Kist.Attestation;

/// <summary>The meaning of every finding code, for <c>kist verify --explain CODE</c>.</summary>
public static class FindingCatalog
{
    /// <summary>Every code that is explained, sorted.</summary>
    public static IReadOnlyList<FindingExplanation> All { get; } =
        [.. TeeVerifierTable.All.SelectMany(v => v.Explanations).Concat(Common).DistinctBy(e => e.Id).OrderBy(e => e.Id, StringComparer.Ordinal)];

    /// <summary>
    /// Finds the explanation of a code, or of its longest prefix that has one ("reference.quote.body.mr_td" is explained by
    /// "reference"). Null if there is none.
    /// </summary>
    public static FindingExplanation? Find(string id)
    {
        for (var end = id.Length; end > 0; end = id.LastIndexOf('.', end - 1))
        {
            if (All.FirstOrDefault(e => e.Id.AsSpan().SequenceEqual(id.AsSpan(0, end))) is { } found)
                return found;
        }

        return null;
    }

    private static IEnumerable<FindingExplanation> Common =>
    [
        new("evidence.tee", "the kind of evidence is known",
            "There is no verifier for the TEE that was named, so nothing was checked and the evidence is refused."),
        new("reference", "a claim has one of the values that the caller accepts",
            "A claim of genuine evidence (a measurement, most often) was compared with the values given as references. A "
            + "difference means that something else was launched than what was reviewed: compare the inputs with kist measure."),
    ];
}
