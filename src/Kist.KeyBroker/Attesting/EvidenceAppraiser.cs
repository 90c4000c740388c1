using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Attestation;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.References;
using Kist.KeyBroker.Telemetry;

namespace Kist.KeyBroker.Attesting;

/// <summary>One part of a machine as its verifier judged it.</summary>
/// <param name="Name">"cpu0", "gpu0", …</param>
/// <param name="Verdict">What was found.</param>
readonly record struct NamedVerdict(string Name, Verdict Verdict);

/// <summary>
/// From what a guest sent to what it is worth: verified (is it genuine, fresh, bound to this key?), then appraised by an
/// attestation policy (how trustworthy is it?). It decides nothing and records nothing, so that recorded evidence can be
/// judged again by another policy.
/// </summary>
sealed class EvidenceAppraiser(
    Func<DateTimeOffset, VerificationOptions> verification, IPolicyEngine engine, ReferenceStore references, bool useEndorsements, TimeSpan maximumLifetime)
{
    private const int MaxDevices = 16;

    /// <summary>Reads the guest's key, which must be one that secrets can be encrypted to.</summary>
    /// <exception cref="BrokerRefusal">It is not.</exception>
    public static JsonWebKey ReadKey(JsonElement json)
    {
        try
        {
            var key = JsonWebKey.Parse(json);
            // The point is on its curve, or the RSA numbers are a key, and the algorithm is one of ours.
            switch (key)
            {
                case EcJsonWebKey { Algorithm: JweAlgorithms.EcdhEsA256KW } ec:
                    ec.CheckPoint();
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

    /// <summary>Reads the guest's init-data, null if it sent none.</summary>
    /// <exception cref="BrokerRefusal">It does not follow its format.</exception>
    public static InitData? ReadInitData(InitDataMessage? message)
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

    /// <summary>Verifies the machine's evidence, and that of each device that came with it.</summary>
    /// <exception cref="BrokerRefusal">Some of it does not follow its format.</exception>
    public List<NamedVerdict> Verify(string tee, string nonce, AttestRequest request, JsonWebKey key, InitData? initData, DateTimeOffset now)
    {
        try
        {
            var options = verification(now);
            var additional = request.TeeEvidence.AdditionalEvidence;
            var binding = new ExpectedBinding(
                ReportData.ForTee(nonce, key, additional, HashAlgorithmName.SHA384),
                initData is null ? (ReadOnlyMemory<byte>?)null : initData.Digest);
            var verdicts = new List<NamedVerdict> { Verify("cpu0", tee, request.TeeEvidence.PrimaryEvidence, binding, options) };
            if (additional.Length > 0)
                VerifyDevices(additional, new ExpectedBinding(ReportData.ForDevice(nonce, key, HashAlgorithmName.SHA384), null), options, verdicts);
            return verdicts;
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.EvidenceMalformed, e.Message, e);
        }
    }

    /// <summary>Verifies what the peer of an RA-TLS connection proves itself by.</summary>
    /// <exception cref="BrokerRefusal">It does not follow its format.</exception>
    public Verdict Verify(ConnectionProof proof, DateTimeOffset now)
    {
        try
        {
            using var span = BrokerTracing.Start("verify");
            var verdict = proof.Verify(verification(now), useEndorsements, maximumLifetime);
            span?.SetTag("kist.tee", verdict.Tee).SetTag("kist.accepted", verdict.IsAccepted);
            BrokerTracing.Checks(verdict);
            return verdict;
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.EvidenceMalformed, e.Message, e);
        }
    }

    /// <summary>The parts of a machine all of whose verdicts were accepted, not yet appraised.</summary>
    public static List<AttestedPart> Parts(List<NamedVerdict> verdicts, InitData? initData, string nonce, JsonWebKey key)
    {
        var runtimeData = RuntimeDataClaims(nonce, key);
        return verdicts.ConvertAll(v => AttestedPart.Create(v.Name, v.Verdict, v.Name == "cpu0" ? initData : null, runtimeData));
    }

    /// <summary>The attestation policy that a part is appraised by.</summary>
    public static string PolicyIdOf(AttestedPart part) => $"default_{TeeClass.Of(part.Verdict.Tee)}";

    /// <summary>Appraises a part.</summary>
    /// <returns>Why it is not affirming, for the operator; empty if it is.</returns>
    /// <exception cref="PolicyFailedException">The policy could not be evaluated.</exception>
    public List<string> Appraise(AttestedPart part, StoredPolicy policy, DateTimeOffset now, CancellationToken cancellationToken)
    {
        using var span = BrokerTracing.Start("appraise");
        span?.SetTag("kist.part", part.Name).SetTag("kist.policy", policy.Name);
        var lookup = new ReferenceLookup(references, now);
        using var nothing = JsonDocument.Parse("{}");
        var answer = engine.Evaluate(
            policy.Name, policy.Text, "data.policy.trust_claims", part.AnnotatedEvidence, nothing.RootElement, lookup, cancellationToken);
        part.Trust = TrustVector.Parse(answer.Value);
        // A rule's name stands in its text: without it there is no such rule, and nothing to evaluate a second time.
        part.Extensions = policy.Text.Contains("extensions", StringComparison.Ordinal)
            ? engine.Evaluate(policy.Name, policy.Text, "data.policy.extensions", part.AnnotatedEvidence, nothing.RootElement, lookup, cancellationToken).Value
            : null;
        span?.SetTag("kist.status", TrustVector.NameOf(part.Trust.Status));
        return part.Trust.Status == TrustTier.Affirming ? [] : [.. answer.Trace.Value, .. Explain(part, now)];
    }

    private static NamedVerdict Verify(string name, string tee, JsonElement evidence, ExpectedBinding binding, VerificationOptions options)
    {
        using var span = BrokerTracing.Start("verify");
        span?.SetTag("kist.part", name).SetTag("kist.tee", tee);
        var verdict = EvidenceVerifier.Verify(tee, evidence, binding, options);
        span?.SetTag("kist.accepted", verdict.IsAccepted);
        BrokerTracing.Checks(verdict);
        return new NamedVerdict(name, verdict);
    }

    private static void VerifyDevices(string additional, ExpectedBinding binding, VerificationOptions options, List<NamedVerdict> verdicts)
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
            verdicts.Add(Verify($"{category}{index}", device.Name, device.Value.Clone(), binding, options));
        }
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
        using var document = JsonDocument.Parse(JsonBytes.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("nonce"u8, nonce);
            writer.WritePropertyName("tee-pubkey"u8);
            key.WriteTo(writer);
            writer.WriteEndObject();
        }));
        return document.RootElement.Clone();
    }
}
