using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Attestation;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.References;
using Kist.KeyBroker.Resources;
using Kist.KeyBroker.Sessions;
using Kist.KeyBroker.Tokens;

namespace Kist.KeyBroker.Attesting;

/// <summary>
/// Judges one handshake: the evidence binds this nonce and this key, every part of the machine is genuine, and the policy
/// says how trustworthy it is. What comes out is a token, or a refusal; either is in the audit log first.
/// </summary>
sealed class AttestationService(
    Func<DateTimeOffset, VerificationOptions> verification,
    PolicyStore policies,
    IPolicyEngine engine,
    ReferenceStore references,
    RevocationStore revocations,
    EarTokens tokens,
    AuditLog audit,
    TimeProvider time)
{
    private const int MaxDevices = 16;

    // What nobody has vouched for is kept only if it is no larger than honest evidence usually is.
    private const int MaxRefusedEvidenceBytes = 256 * 1024;

    /// <summary>Judges the evidence of a session that its caller has used up.</summary>
    /// <exception cref="BrokerRefusal">The request is malformed, or the evidence is not accepted.</exception>
    public string Attest(Session session, AttestRequest request, string correlation, string peer, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var record = new AuditRecord { Kind = "attest", Outcome = "denied", Correlation = correlation, Tee = session.Tee, Peer = peer };
        try
        {
            CheckNonce(session, request.RuntimeData.Nonce);
            var key = ReadKey(request.RuntimeData.TeePublicKey);
            record = record with { Workload = key.Thumbprint() };
            var initData = ReadInitData(request.InitData);
            var verdicts = Verify(session, request, key, initData, now);
            record = record with { Attachments = [.. Attachments(verdicts, request)] };
            if (verdicts.FirstOrDefault(v => !v.Verdict.IsAccepted) is { Verdict: { } refused })
            {
                var failure = refused.DecisiveFailure;
                throw new BrokerRefusal(
                    BrokerError.EvidenceRefused,
                    failure is null ? "no check passed" : $"{failure.Id}: {failure.Why}; expected {failure.Expected ?? "-"}, found {failure.Actual ?? "-"}");
            }

            var runtimeData = RuntimeDataClaims(session.Nonce, key);
            var parts = verdicts.ConvertAll(v => AttestedPart.Create(v.Name, v.Verdict, v.Name == "cpu0" ? initData : null, runtimeData));
            if (revocations.OfInitData(parts[0].AnnotatedEvidence) is { } revoked)
                throw new BrokerRefusal(BrokerError.WorkloadRevoked, $"{revoked.Kind} {revoked.Value} was revoked by {revoked.By}: {revoked.Reason}");
            var trace = new List<string>();
            foreach (var part in parts)
                Appraise(part, now, trace, cancellationToken);
            var token = tokens.Issue(parts, now, out var id);
            audit.Append(record with
            {
                Outcome = "allowed",
                More = writer => WriteAppraisal(writer, id, parts, trace),
            });
            return token;
        }
        catch (BrokerRefusal refusal)
        {
            audit.Append(record with
            {
                Code = refusal.Error.Code,
                Detail = refusal.OperatorDetail,
                Attachments = [.. record.Attachments.Select(a => a with { MaxStoredBytes = MaxRefusedEvidenceBytes })],
            });
            throw;
        }
        catch (PolicyFailedException e)
        {
            audit.Append(record with { Outcome = "failed", Code = BrokerError.PolicyFailed.Code, Detail = e.Message });
            throw new BrokerRefusal(BrokerError.PolicyFailed, e.Message, e);
        }
    }

    private static void CheckNonce(Session session, string nonce)
    {
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(nonce), Encoding.UTF8.GetBytes(session.Nonce)))
            throw new BrokerRefusal(BrokerError.NonceMismatch);
    }

    private static JsonWebKey ReadKey(JsonElement json)
    {
        try
        {
            var key = JsonWebKey.Parse(json);
            // A trial encryption: the point is on its curve, and the algorithm is one of ours.
            if (key.Algorithm is null or JweAlgorithms.RsaOaep)
                throw new MalformedDataException("tee-pubkey", -1, "its \"alg\" must be ECDH-ES+A256KW or RSA-OAEP-256");
            switch (key)
            {
                case EcJsonWebKey { Algorithm: JweAlgorithms.EcdhEsA256KW } ec:
                    ec.CreateECDiffieHellman().Dispose();
                    return ec;
                case RsaJsonWebKey { Algorithm: JweAlgorithms.RsaOaep256 } rsa:
                    rsa.CreateRsa().Dispose();
                    return rsa;
                default:
                    throw new MalformedDataException("tee-pubkey", -1, "its \"alg\" must be ECDH-ES+A256KW or RSA-OAEP-256");
            }
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.KeyUnsupported, e.Message, e);
        }
    }

    private static InitData? ReadInitData(InitDataMessage? message)
    {
        try
        {
            return message is null ? null : InitData.Parse(message);
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.InitDataMalformed, e.Message, e);
        }
    }

    private List<(string Name, Verdict Verdict)> Verify(Session session, AttestRequest request, JsonWebKey key, InitData? initData, DateTimeOffset now)
    {
        try
        {
            var options = verification(now);
            var additional = request.TeeEvidence.AdditionalEvidence;
            var binding = new ExpectedBinding(
                ReportData.ForTee(session.Nonce, key, additional, HashAlgorithmName.SHA384),
                initData is null ? (ReadOnlyMemory<byte>?)null : initData.Digest);
            var verdicts = new List<(string, Verdict)>
            {
                ("cpu0", EvidenceVerifier.Verify(session.Tee, request.TeeEvidence.PrimaryEvidence, binding, options)),
            };
            if (additional.Length > 0)
                VerifyDevices(additional, new ExpectedBinding(ReportData.ForDevice(session.Nonce, key, HashAlgorithmName.SHA384), null), options, verdicts);
            return verdicts;
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.EvidenceMalformed, e.Message, e);
        }
    }

    private static void VerifyDevices(string additional, ExpectedBinding binding, VerificationOptions options, List<(string Name, Verdict Verdict)> verdicts)
    {
        using var document = StrictJson.ParseObject(Encoding.UTF8.GetBytes(additional), KbsProtocol.MaxAttestBytes, "additional evidence");
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var device in document.RootElement.EnumerateObject())
        {
            if (TeeClass.IsPrimary(device.Name))
                throw new MalformedDataException("additional evidence", -1, "it holds evidence of something that is no device");
            if (verdicts.Count > MaxDevices)
                throw new MalformedDataException("additional evidence", -1, $"it holds evidence of more than {MaxDevices} kinds of device");
            var category = TeeClass.Of(device.Name);
            var index = counts.GetValueOrDefault(category);
            counts[category] = index + 1;
            verdicts.Add(($"{category}{index}", EvidenceVerifier.Verify(device.Name, device.Value.Clone(), binding, options)));
        }
    }

    private void Appraise(AttestedPart part, DateTimeOffset now, List<string> trace, CancellationToken cancellationToken)
    {
        var policyId = $"default_{TeeClass.Of(part.Verdict.Tee)}";
        var policy = policies.Attestation(policyId) ?? throw new PolicyFailedException($"there is no attestation policy \"{policyId}\"");
        var lookup = new ReferenceLookup(references, now);
        using var nothing = JsonDocument.Parse("{}");
        var answer = engine.Evaluate(
            policy.Name, policy.Text, "data.policy.trust_claims", part.AnnotatedEvidence, nothing.RootElement, lookup, cancellationToken);
        part.Trust = TrustVector.Parse(answer.Value);
        // A rule's name stands in its text: without it there is no such rule, and nothing to evaluate a second time.
        if (policy.Text.Contains("extensions", StringComparison.Ordinal))
        {
            part.Extensions = engine.Evaluate(
                policy.Name, policy.Text, "data.policy.extensions", part.AnnotatedEvidence, nothing.RootElement, lookup, cancellationToken).Value;
        }

        if (part.Trust.Status == TrustTier.Affirming)
            return;
        trace.AddRange(answer.Trace.Value);
        trace.AddRange(Explain(part, now));
    }

    /// <summary>Why no reference set was met: the closest one, and which of its claims differ.</summary>
    private List<string> Explain(AttestedPart part, DateTimeOffset now)
    {
        var claims = part.AnnotatedEvidence.GetProperty(part.Verdict.Tee);
        if (!references.Matching(part.Verdict.Tee, claims, now).IsEmpty)
            return [];
        if (references.Closest(part.Verdict.Tee, claims) is not { } closest)
            return [$"no reference set is registered for {part.Verdict.Tee}"];
        var lines = new List<string>();
        if (!ReferenceStore.IsInForce(closest, now))
            lines.Add($"the closest reference set {closest.Set.Name}@{closest.Version} is not in force: valid from {closest.Set.NotBefore:O} to {closest.Set.Expires:O}");
        foreach (var claim in ClaimPath.Compare(closest.Set, claims).Where(c => !c.Holds))
            lines.Add($"reference set {closest.Set.Name}@{closest.Version}: {claim.Claim} should be {string.Join(" or ", claim.Accepted)}, is {claim.Actual ?? "absent"}");
        return lines;
    }

    private static JsonElement RuntimeDataClaims(string nonce, JsonWebKey key)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("nonce"u8, nonce);
            writer.WritePropertyName("tee-pubkey"u8);
            key.WriteTo(writer);
            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.ToArray());
        return document.RootElement.Clone();
    }

    private static IEnumerable<AuditAttachment> Attachments(List<(string Name, Verdict Verdict)> verdicts, AttestRequest request)
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
