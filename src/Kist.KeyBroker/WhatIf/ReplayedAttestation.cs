using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.Attesting;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.WhatIf;

/// <summary>An attestation of the audit log, its evidence verified again as of the time when it came.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Parts">The machine's parts, not yet appraised; empty if its evidence is not accepted, or was not kept.</param>
sealed record ReplayedAttestation(RecordedDecision Entry, List<AttestedPart> Parts)
{
    /// <summary>Verifies what was recorded again.</summary>
    public static ReplayedAttestation Create(RecordedDecision entry, AuditLog audit, EvidenceAppraiser appraiser)
    {
        if (entry.Evidence is not { } digest || entry.Tee is not { } tee || audit.Attachment(digest) is not { } evidence)
            return new ReplayedAttestation(entry, []);
        try
        {
            var request = KbsJson.Read<AttestRequest>(evidence, KbsProtocol.MaxAttestBytes);
            var key = EvidenceAppraiser.ReadKey(request.RuntimeData.TeePublicKey);
            var initData = EvidenceAppraiser.ReadInitData(request.InitData);
            var verdicts = appraiser.Verify(tee, request.RuntimeData.Nonce, request, key, initData, entry.At);
            return new ReplayedAttestation(entry, verdicts.TrueForAll(v => v.Verdict.IsAccepted) ? EvidenceAppraiser.Parts(verdicts, initData, request.RuntimeData.Nonce, key) : []);
        }
        catch (Exception e) when (e is BrokerRefusal or MalformedDataException)
        {
            return new ReplayedAttestation(entry, []);
        }
    }
}

/// <summary>What an entry of the audit log says, as far as it is replayed.</summary>
sealed record RecordedDecision(
    long Sequence, DateTimeOffset At, string Outcome, string? Code, string? Tee, string? Resource, string? Workload, string? Token, string? Evidence, string? Status,
    IReadOnlyDictionary<string, string> Query)
{
    public static RecordedDecision Read(AuditEntry entry)
    {
        using var document = JsonDocument.Parse(Encoding.UTF8.GetString(entry.Body), new JsonDocumentOptions { MaxDepth = 128 });
        var root = document.RootElement;
        string? Text(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value.GetString() : null;
        JsonElement Member(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;
        var query = Member(root, "query") is { ValueKind: JsonValueKind.Object } parameters
            ? parameters.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "", StringComparer.Ordinal)
            : [];
        return new RecordedDecision(
            entry.Sequence, entry.At, Text(root, "outcome") ?? "", Text(root, "code"), Text(root, "tee"), Text(root, "resource"), Text(root, "workload"), Text(root, "token"),
            Text(Member(root, "attachments"), "evidence"), Text(Member(Member(root, "parts"), "cpu0"), "status"), query);
    }
}
