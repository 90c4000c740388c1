namespace Kist.Attestation;

/// <summary>The meaning of every finding code, for <c>kist verify --explain CODE</c>.</summary>
public static class FindingCatalog
{
    /// <summary>Every code that is explained, sorted.</summary>
    public static IReadOnlyList<FindingExplanation> All { get; } =
        [.. TeeVerifierTable.All.SelectMany(v => v.Explanations.Concat(CommonTo(v.Tee))).Concat(Common).Concat(RaTls.RaTlsExplanations.All).DistinctBy(e => e.Id).OrderBy(e => e.Id, StringComparer.Ordinal)];

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

        return FindUnderAnotherTee(id);
    }

    /// <summary>
    /// Evidence that carries another TEE's has its codes under its own name ("az-tdx-vtpm.tcb.status"): what stands after the first
    /// dot is then explained by that TEE.
    /// </summary>
    private static FindingExplanation? FindUnderAnotherTee(string id)
    {
        var dot = id.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || TeeVerifierTable.Find(id[..dot]) is null)
            return null;
        for (var end = id.Length; end > dot; end = id.LastIndexOf('.', end - 1))
        {
            var rest = id[dot..end];
            if (rest.Length > 1 && All.FirstOrDefault(e => e.Id.EndsWith(rest, StringComparison.Ordinal) && e.Id.IndexOf('.', StringComparison.Ordinal) == e.Id.Length - rest.Length) is { } found)
                return found;
        }

        return null;
    }

    private static IEnumerable<FindingExplanation> Common =>
    [
        new("evidence.tee", "the kind of evidence is known",
            "There is no verifier for the TEE that was named, so nothing was checked and the evidence is refused."),
        new("evidence.chip", "the evidence is of an allowed chip",
            "The TCB policy names the chips that may be used, and evidence of this kind does not say on which chip it was made."),
        new("reference", "a claim has one of the values that the caller accepts",
            "A claim of genuine evidence (a measurement, most often) was compared with the values given as references. A "
            + "difference means that something else was launched than what was reviewed: compare the inputs with kist measure."),
    ];

    /// <summary>Codes that every TEE has; a TEE's own explanation of one comes first.</summary>
    private static IEnumerable<FindingExplanation> CommonTo(string tee) =>
    [
        new($"{tee}.binding.report_data", "the evidence was made for this request",
            "The verifier's nonce is in the report data. A difference means a replay, or that guest and verifier compute it differently."),
        new($"{tee}.binding.init_data", "the guest was started with this configuration",
            "The digest of the init-data document is in the field that binds it at launch.", "CoCo init-data specification"),
        new($"{tee}.simulated", "the platform is real",
            "The evidence has the genuine format and ends at a simulation's root. It protects nothing; --allow-simulated accepts it in a test set-up."),
        new($"{tee}.debug", "the TEE is not debuggable",
            "Whoever runs the machine may read and change the memory of a debuggable TEE. --allow-debug accepts it in a test set-up."),
    ];
}
