using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Attestation;
using Kist.Formats.Jose;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Resources;
using Kist.KeyBroker.Sessions;
using Kist.KeyBroker.Storage;
using Kist.KeyBroker.Telemetry;
using Kist.KeyBroker.Tokens;

namespace Kist.KeyBroker.Attesting;

/// <summary>
/// Judges one handshake: the evidence binds this nonce and this key, every part of the machine is genuine, and the policy
/// says how trustworthy it is. What comes out is a token, or a refusal; either is in the audit log first.
/// </summary>
sealed class AttestationService(
    Database database, EvidenceAppraiser appraiser, PolicyStore policies, RevocationStore revocations, EarTokens tokens, AuditLog audit, TimeProvider time)
{
    // What nobody has vouched for is kept only if it is no larger than honest evidence usually is.
    private const int MaxRefusedEvidenceBytes = 256 * 1024;

    /// <summary>Judges the evidence of a session that its caller has used up.</summary>
    /// <param name="session">The session.</param>
    /// <param name="request">What the guest sent.</param>
    /// <param name="body">The bytes of that, which are kept as the evidence of the decision.</param>
    /// <param name="correlation">The request's correlation id.</param>
    /// <param name="peer">The guest's address.</param>
    /// <param name="cancellationToken">Ends the evaluation of policies.</param>
    /// <exception cref="BrokerRefusal">The request is malformed, or the evidence is not accepted.</exception>
    public Task<string> AttestAsync(
        Session session, AttestRequest request, ReadOnlyMemory<byte> body, string correlation, string peer, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var draft = new Draft(new AuditRecord { Kind = "attest", Outcome = "denied", Correlation = correlation, Tee = session.Tee, Peer = peer });
        return RecordedAsync(draft, () =>
        {
            CheckNonce(session, request.RuntimeData.Nonce);
            var key = EvidenceAppraiser.ReadKey(request.RuntimeData.TeePublicKey);
            draft.Record = draft.Record with { Workload = key.Thumbprint() };
            var initData = EvidenceAppraiser.ReadInitData(request.InitData);
            var verdicts = appraiser.Verify(session.Tee, session.Nonce, request, key, initData, now);
            draft.Record = draft.Record with { Attachments = [.. verdicts.Select(Attachment), new AuditAttachment("evidence", body)] };
            return Conclude(draft, verdicts, initData, session.Nonce, key, now, cancellationToken);
        });
    }

    /// <summary>Judges the evidence of a connection whose TLS handshake showed that the peer holds the certificate's key.</summary>
    /// <exception cref="BrokerRefusal">The evidence is malformed, or is not accepted.</exception>
    public async Task<EarToken> AttestAsync(ConnectionProof proof, string correlation, string peer, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var draft = new Draft(new AuditRecord { Kind = "attest", Outcome = "denied", Correlation = correlation, Peer = peer, Attachments = [.. proof.Attachments] });
        var token = await RecordedAsync(draft, () =>
        {
            var verdict = new NamedVerdict("cpu0", appraiser.Verify(proof, now));
            draft.Record = draft.Record with { Tee = verdict.Verdict.Tee, Attachments = [Attachment(verdict), .. draft.Record.Attachments] };
            var key = proof.ReadKey();
            draft.Record = draft.Record with { Workload = key.Thumbprint() };
            var nonce = Convert.ToBase64String(proof.Nonce.Span);
            return Conclude(draft, [verdict], null, nonce, key, now, cancellationToken);
        }).ConfigureAwait(false);
        return tokens.Verify(token, now);
    }

    /// <summary>From verdicts to the token: all accepted, not revoked, appraised by the policies.</summary>
    private string Conclude(
        Draft draft, List<NamedVerdict> verdicts, InitData? initData, string nonce, JsonWebKey key, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (verdicts.Find(v => !v.Verdict.IsAccepted) is { Verdict: { } refused })
            throw Refusal(refused);
        var parts = EvidenceAppraiser.Parts(verdicts, initData, nonce, key);
        if (revocations.OfInitData(parts[0].AnnotatedEvidence) is { } revoked)
            throw new BrokerRefusal(BrokerError.WorkloadRevoked, $"{revoked.Kind} {revoked.Value} was revoked by {revoked.By}: {revoked.Reason}");
        var trace = parts.ConvertAll(part => appraiser.Appraise(part, PolicyOf(part), now, cancellationToken)).SelectMany(lines => lines).ToList();
        var token = tokens.Issue(parts, now, out var id);
        draft.Record = draft.Record with { Outcome = "allowed", More = writer => WriteAppraisal(writer, id, parts, trace) };
        return token;
    }

    /// <summary>Decides, and records the decision, whatever it is, before it is told.</summary>
    private async Task<string> RecordedAsync(Draft draft, Func<string> decide)
    {
        // Policies, revocations and reference values are of one moment.
        var (token, refusal) = database.ReadTogether(() => Decide(draft, decide));
        using (BrokerTracing.Start("audit"))
            await audit.AppendAsync(draft.Record).ConfigureAwait(false);
        return token ?? throw refusal!;
    }

    private static (string? Token, BrokerRefusal? Refusal) Decide(Draft draft, Func<string> decide)
    {
        try
        {
            return (decide(), null);
        }
        catch (BrokerRefusal refusal)
        {
            draft.Record = draft.Record with
            {
                Code = refusal.Error.Code,
                Detail = refusal.OperatorDetail,
                Attachments = [.. draft.Record.Attachments.Select(a => a with { MaxStoredBytes = MaxRefusedEvidenceBytes })],
            };
            return (null, refusal);
        }
        catch (PolicyFailedException e)
        {
            draft.Record = draft.Record with { Outcome = "failed", Code = BrokerError.PolicyFailed.Code, Detail = e.Message };
            return (null, new BrokerRefusal(BrokerError.PolicyFailed, e.Message, e));
        }
    }

    private static AuditAttachment Attachment(NamedVerdict named) =>
        new($"verdict.{named.Name}", JsonBytes.Write(writer => VerdictJson.Write(writer, named.Verdict)));

    /// <summary>The entry of a decision as far as it is known.</summary>
    private sealed class Draft(AuditRecord record)
    {
        public AuditRecord Record { get; set; } = record;
    }

    private StoredPolicy PolicyOf(AttestedPart part)
    {
        var id = EvidenceAppraiser.PolicyIdOf(part);
        return policies.Attestation(id) ?? throw new PolicyFailedException($"there is no attestation policy \"{id}\"");
    }

    private static BrokerRefusal Refusal(Verdict refused)
    {
        var failure = refused.DecisiveFailure;
        return new BrokerRefusal(
            BrokerError.EvidenceRefused,
            failure is null ? "no check passed" : $"{failure.Id}: {failure.Why}; expected {failure.Expected ?? "-"}, found {failure.Actual ?? "-"}");
    }

    private static void CheckNonce(Session session, string nonce)
    {
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(nonce), Encoding.UTF8.GetBytes(session.Nonce)))
            throw new BrokerRefusal(BrokerError.NonceMismatch);
    }

    private static void WriteAppraisal(Utf8JsonWriter writer, string tokenId, List<AttestedPart> parts, List<string> trace)
    {
        writer.WriteString("token"u8, tokenId);
        writer.WriteStartObject("parts"u8);
        foreach (var part in parts)
        {
            writer.WriteStartObject(part.Name);
            writer.WriteString("tee"u8, part.Verdict.Tee);
            writer.WriteString("status"u8, TrustVector.NameOf(part.Trust.Status));
            writer.WriteBoolean("simulated"u8, part.Verdict.IsSimulated);
            writer.WriteBoolean("debug"u8, part.Verdict.IsDebug);
            writer.WriteStartObject("trust"u8);
            foreach (var (name, value) in part.Trust.Claims)
                writer.WriteNumber(name, value);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        if (trace.Count == 0)
            return;
        writer.WriteStartArray("why"u8);
        foreach (var line in trace)
            writer.WriteStringValue(line);
        writer.WriteEndArray();
    }
}
