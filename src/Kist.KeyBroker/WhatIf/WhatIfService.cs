using System.Text.Json;
using Kist.KeyBroker.Attesting;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Resources;
using Kist.KeyBroker.Tokens;

namespace Kist.KeyBroker.WhatIf;

/// <summary>
/// What would change if a policy were in force: the latest decisions of the audit log, made again over the evidence that
/// was recorded, by the policies in force and with the new one in its place. Nothing is changed, given out or recorded.
/// </summary>
sealed class WhatIfService(AuditLog audit, EvidenceAppraiser appraiser, PolicyStore policies, ResourcePolicyJudge judge, EarTokens tokens)
{
    /// <summary>Most decisions that are made again in one request.</summary>
    public const int MaxDecisions = 200;

    // A guest attests seldom more often before it reads.
    private const int LookedAttestations = 20;

    /// <summary>Replays the latest decisions that a policy takes part in.</summary>
    /// <exception cref="PolicyFailedException">A policy could not be evaluated.</exception>
    public WhatIfDocument Run(StoredPolicy candidate, int limit, CancellationToken cancellationToken)
    {
        var results = candidate.Kind == PolicyKind.Attestation ? Attestations(candidate, limit, cancellationToken) : Reads(candidate, limit, cancellationToken);
        return new WhatIfDocument { Results = results, Changed = results.Count(r => r.Before != r.After) };
    }

    private List<WhatIfResult> Attestations(StoredPolicy candidate, int limit, CancellationToken cancellationToken)
    {
        var results = new List<WhatIfResult>();
        foreach (var entry in Recorded("attest", limit))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var replayed = ReplayedAttestation.Create(entry, audit, appraiser);
            foreach (var part in replayed.Parts.Where(p => EvidenceAppraiser.PolicyIdOf(p) == candidate.Scope))
            {
                var before = Appraise(part, policies.Attestation(candidate.Scope), entry.At, cancellationToken);
                var after = Appraise(part, candidate, entry.At, cancellationToken);
                results.Add(Result(entry, $"{part.Name} ({part.Verdict.Tee})", before, after));
            }
        }

        return results;
    }

    private List<WhatIfResult> Reads(StoredPolicy candidate, int limit, CancellationToken cancellationToken)
    {
        var results = new List<WhatIfResult>();
        var claims = new Dictionary<string, JsonElement?>(StringComparer.Ordinal);
        foreach (var entry in Recorded("resource.read", limit))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (entry.Token is not { } token || !ResourceUri.TryParse(entry.Resource, out var uri))
                continue;
            var now = policies.Resource(uri.Repository, uri.Path);
            var then = policies.ResourceWith(candidate, uri.Repository, uri.Path);
            if (!then.Contains(candidate))
                continue;
            if (!claims.TryGetValue(token, out var known))
                claims[token] = known = ClaimsOf(entry, token, cancellationToken);
            if (known is { } attested)
                results.Add(Result(entry, uri.Path, Decide(now, uri, entry, attested, cancellationToken), Decide(then, uri, entry, attested, cancellationToken)));
        }

        return results;
    }

    private IEnumerable<RecordedDecision> Recorded(string kind, int limit) =>
        audit.SearchOwn(new AuditQuery(Kind: kind, Limit: Math.Min(limit, MaxDecisions))).Select(RecordedDecision.Read);

    /// <summary>The claims of the token that a workload read with, made again from its evidence; null if that was not kept.</summary>
    private JsonElement? ClaimsOf(RecordedDecision read, string token, CancellationToken cancellationToken)
    {
        var attestations = audit.SearchOwn(new AuditQuery(Before: read.Sequence, Limit: LookedAttestations, Kind: "attest", Workload: read.Workload)).Select(RecordedDecision.Read);
        if (attestations.FirstOrDefault(a => a.Token == token) is not { } entry)
            return null;
        var replayed = ReplayedAttestation.Create(entry, audit, appraiser);
        if (replayed.Parts.Count == 0)
            return null;
        foreach (var part in replayed.Parts)
        {
            if (policies.Attestation(EvidenceAppraiser.PolicyIdOf(part)) is { } policy)
                appraiser.Appraise(part, policy, entry.At, cancellationToken);
        }

        using var document = JsonDocument.Parse(tokens.Claims(replayed.Parts, entry.At, token), new JsonDocumentOptions { MaxDepth = 128 });
        return document.RootElement.Clone();
    }

    private (string Outcome, IReadOnlyList<string> Why) Appraise(AttestedPart part, StoredPolicy? policy, DateTimeOffset at, CancellationToken cancellationToken)
    {
        if (policy is null)
            return ("failed", ["there is no such policy"]);
        try
        {
            var why = appraiser.Appraise(part, policy, at, cancellationToken);
            return (TrustVector.NameOf(part.Trust.Status), why);
        }
        catch (PolicyFailedException e)
        {
            return ("failed", [e.Message]);
        }
    }

    private (string Outcome, IReadOnlyList<string> Why) Decide(
        IReadOnlyList<StoredPolicy> inForce, ResourceUri uri, RecordedDecision entry, JsonElement claims, CancellationToken cancellationToken)
    {
        try
        {
            var why = judge.Judge(inForce, uri, entry.Query, claims, cancellationToken);
            return why is null ? ("allowed", []) : ("denied", why);
        }
        catch (PolicyFailedException e)
        {
            return ("failed", [e.Message]);
        }
    }

    private static WhatIfResult Result(RecordedDecision entry, string subject, (string Outcome, IReadOnlyList<string> Why) before, (string Outcome, IReadOnlyList<string> Why) after) => new()
    {
        Sequence = entry.Sequence,
        At = entry.At,
        Subject = subject,
        Workload = entry.Workload,
        Recorded = entry.Status ?? entry.Outcome,
        Before = before.Outcome,
        After = after.Outcome,
        Why = after.Why,
    };
}
