using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Attestation;
using Kist.Formats.Jose;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Resources;
using Kist.KeyBroker.Sessions;
using Kist.KeyBroker.Telemetry;
using Kist.KeyBroker.Tokens;

namespace Kist.KeyBroker.Attesting;

/// <summary>
/// Judges one handshake: the evidence binds this nonce and this key, every part of the machine is genuine, and the policy
/// says how trustworthy it is. What comes out is a token, or a refusal; either is in the audit log first.
/// </summary>
sealed class AttestationService(
    EvidenceAppraiser appraiser, PolicyStore policies, RevocationStore revocations, EarTokens tokens, AuditLog audit, TimeProvider time)
{
    // What nobody has vouched for is kept only if it is no larger than honest evidence usually is.
    private const int MaxRefusedEvidenceBytes = 256 * 1024;

    /// <summary>Judges the evidence of a session that its caller has used up.</summary>
    /// <exception cref="BrokerRefusal">The request is malformed, or the evidence is not accepted.</exception>
    public string Attest(Session session, AttestRequest request, string correlation, string peer, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var record = new AuditRecord { Kind = "attest", Outcome = "denied", Correlation = correlation, Tee = session.Tee, Peer = peer };
        return Recorded(() => record, () =>
        {
            CheckNonce(session, request.RuntimeData.Nonce);
            var key = EvidenceAppraiser.ReadKey(request.RuntimeData.TeePublicKey);
            record = record with { Workload = key.Thumbprint() };
            var initData = EvidenceAppraiser.ReadInitData(request.InitData);
            var verdicts = appraiser.Verify(session.Tee, session.Nonce, request, key, initData, now);
            record = record with { Attachments = [.. Attachments(verdicts, request)] };
            return Conclude(record, verdicts, initData, session.Nonce, key, now, cancellationToken);
        });
    }

    /// <summary>Judges the evidence of a connection whose TLS handshake showed that the peer holds the certificate's key.</summary>
    /// <exception cref="BrokerRefusal">The evidence is malformed, or is not accepted.</exception>
    public EarToken Attest(ConnectionProof proof, string correlation, string peer, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var record = new AuditRecord { Kind = "attest", Outcome = "denied", Correlation = correlation, Peer = peer, Attachments = [.. proof.Attachments] };
        return Recorded(() => record, () =>
        {
            var verdict = appraiser.Verify(proof, now);
            record = record with { Tee = verdict.Tee, Attachments = [new AuditAttachment("verdict.cpu0", VerdictJson.ToUtf8(verdict)), .. record.Attachments] };
            var key = proof.ReadKey();
            record = record with { Workload = key.Thumbprint() };
            var nonce = Convert.ToBase64String(proof.Nonce.Span);
            return tokens.Verify(Conclude(record, [new NamedVerdict("cpu0", verdict)], null, nonce, key, now, cancellationToken), now);
        });
    }

    /// <summary>From verdicts to the token: all accepted, not revoked, appraised by the policies, recorded.</summary>
    private string Conclude(
        AuditRecord record, List<NamedVerdict> verdicts, InitData? initData, string nonce, JsonWebKey key, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (verdicts.Find(v => !v.Verdict.IsAccepted) is { Verdict: { } refused })
            throw Refusal(refused);
        var parts = EvidenceAppraiser.Parts(verdicts, initData, nonce, key);
        if (revocations.OfInitData(parts[0].AnnotatedEvidence) is { } revoked)
            throw new BrokerRefusal(BrokerError.WorkloadRevoked, $"{revoked.Kind} {revoked.Value} was revoked by {revoked.By}: {revoked.Reason}");
        var trace = parts.ConvertAll(part => appraiser.Appraise(part, PolicyOf(part), now, cancellationToken)).SelectMany(lines => lines).ToList();
        var token = tokens.Issue(parts, now, out var id);
        Append(record with { Outcome = "allowed", More = writer => WriteAppraisal(writer, id, parts, trace) });
        return token;
    }

    /// <summary>Records whatever refuses, with what was known until then.</summary>
    private T Recorded<T>(Func<AuditRecord> record, Func<T> attest)
    {
        try
        {
            return attest();
        }
        catch (BrokerRefusal refusal)
        {
            var denied = record();
            Append(denied with
            {
                Code = refusal.Error.Code,
                Detail = refusal.OperatorDetail,
                Attachments = [.. denied.Attachments.Select(a => a with { MaxStoredBytes = MaxRefusedEvidenceBytes })],
            });
            throw;
        }
        catch (PolicyFailedException e)
        {
            Append(record() with { Outcome = "failed", Code = BrokerError.PolicyFailed.Code, Detail = e.Message });
            throw new BrokerRefusal(BrokerError.PolicyFailed, e.Message, e);
        }
    }

    private void Append(AuditRecord record)
    {
        using var span = BrokerTracing.Start("audit");
        audit.Append(record);
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

    private static IEnumerable<AuditAttachment> Attachments(List<NamedVerdict> verdicts, AttestRequest request)
    {
        foreach (var (name, verdict) in verdicts)
            yield return new AuditAttachment($"verdict.{name}", VerdictJson.ToUtf8(verdict));
        yield return new AuditAttachment("evidence", KbsJson.Write(request));
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
