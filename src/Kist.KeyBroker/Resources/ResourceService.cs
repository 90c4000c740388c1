using System.Security.Cryptography;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Storage;
using Kist.KeyBroker.Telemetry;
using Kist.KeyBroker.Tokens;

namespace Kist.KeyBroker.Resources;

/// <summary>Gives secrets to attested workloads: the policy first, then the secret, and the audit entry before the answer.</summary>
sealed class ResourceService(
    Database database, ResourceStore store, ResourceTermsStore terms, RevocationStore revocations, PolicyStore policies, ResourcePolicyJudge judge, AuditLog audit, TimeProvider time)
{
    /// <summary>The secret, encrypted to the workload's key.</summary>
    /// <exception cref="BrokerRefusal">The policy denies it, or there is no such secret.</exception>
    public Task<byte[]> ReadAsync(
        ResourceUri uri, IReadOnlyDictionary<string, string> query, EarToken token, string correlation, string peer, CancellationToken cancellationToken) =>
        ReadAsync(uri, query, token, correlation, peer, secret => JweEncryption.EncryptFlattened(secret, token.TeePublicKey), cancellationToken);

    /// <summary>The secret itself, for a connection that ends in the workload. The caller wipes it.</summary>
    /// <exception cref="BrokerRefusal">The policy denies it, or there is no such secret.</exception>
    public Task<byte[]> ReadInClearAsync(
        ResourceUri uri, IReadOnlyDictionary<string, string> query, EarToken token, string correlation, string peer, CancellationToken cancellationToken) =>
        ReadAsync(uri, query, token, correlation, peer, secret => secret.ToArray(), cancellationToken);

    private async Task<byte[]> ReadAsync(
        ResourceUri uri, IReadOnlyDictionary<string, string> query, EarToken token, string correlation, string peer, Func<ReadOnlySpan<byte>, byte[]> seal,
        CancellationToken cancellationToken)
    {
        var record = new AuditRecord
        {
            Kind = "resource.read",
            Outcome = "denied",
            Correlation = correlation,
            Resource = uri.Path,
            Workload = token.Workload,
            Peer = peer,
            More = writer => WriteRequest(writer, token, query),
        };
        try
        {
            // Revocations, policies and the secret are of one moment.
            var (stored, derivedBy) = database.ReadTogether(() => Find(uri, query, token, cancellationToken));
            using (var secret = store.Open(uri.Path, stored))
            {
                byte[] answer;
                using (BrokerTracing.Start("encrypt"))
                    answer = Seal(uri, secret, derivedBy, token, seal);
                var version = stored.Version;
                var released = record with
                {
                    Outcome = "allowed",
                    More = writer =>
                    {
                        WriteRequest(writer, token, query);
                        writer.WriteNumber("version"u8, version);
                    },
                };
                // Counted and recorded before it leaves: an answer that is lost on its way counts. A revocation that is
                // there before the record holds, whichever replica took it.
                var isReleased = false;
                try
                {
                    isReleased = await audit.AppendIfAsync(
                        connection =>
                        {
                            CheckRevocations(token);
                            return terms.TryCount(connection, uri.Path, time.GetUtcNow());
                        },
                        released).ConfigureAwait(false) is not null;
                    return isReleased ? answer : throw new BrokerRefusal(BrokerError.LeaseExhausted);
                }
                finally
                {
                    if (!isReleased)
                        CryptographicOperations.ZeroMemory(answer);
                }
            }
        }
        catch (BrokerRefusal refusal)
        {
            await audit.AppendAsync(record with { Code = refusal.Error.Code, Detail = refusal.OperatorDetail }).ConfigureAwait(false);
            throw;
        }
        catch (Exception e) when (e is PolicyFailedException or OperationFailedException or MalformedDataException)
        {
            var error = e switch
            {
                PolicyFailedException => BrokerError.PolicyFailed,
                OperationFailedException { IsTransient: true } => BrokerError.Unavailable,
                _ => BrokerError.Internal,
            };
            await audit.AppendAsync(record with { Outcome = "failed", Code = error.Code, Detail = e.Message }).ConfigureAwait(false);
            throw new BrokerRefusal(error, e.Message, e);
        }
    }

    private (SealedResource Stored, string? DerivedBy) Find(ResourceUri uri, IReadOnlyDictionary<string, string> query, EarToken token, CancellationToken cancellationToken)
    {
        CheckRevocations(token);
        // Whether the secret exists is told only to those who may have it.
        if (judge.Judge(policies.Resource(uri.Repository, uri.Path), uri, query, token.Claims, cancellationToken) is { } why)
            throw new BrokerRefusal(BrokerError.PolicyDenied, string.Join('\n', why));
        return (store.FindSealed(uri.Path) ?? throw new BrokerRefusal(BrokerError.ResourceUnknown), terms.Find(uri.Path)?.DerivedBy);
    }

    private void CheckRevocations(EarToken token)
    {
        if (revocations.Of(token) is { } revoked)
            throw new BrokerRefusal(BrokerError.WorkloadRevoked, $"{revoked.Kind} {revoked.Value} was revoked by {revoked.By}: {revoked.Reason}");
    }

    private static void WriteRequest(Utf8JsonWriter writer, EarToken token, IReadOnlyDictionary<string, string> query)
    {
        writer.WriteString("token"u8, token.Id);
        if (query.Count == 0)
            return;
        writer.WriteStartObject("query"u8);
        foreach (var (name, value) in query)
            writer.WriteString(name, value);
        writer.WriteEndObject();
    }

    private byte[] Seal(ResourceUri uri, SecretBytes secret, string? derivedBy, EarToken token, Func<ReadOnlySpan<byte>, byte[]> seal)
    {
        if (derivedBy is not { } claim)
            return seal(secret.Span);
        var evidence = token.Claims.GetProperty("submods").GetProperty("cpu0").GetProperty("ear.veraison.annotated-evidence");
        using var derived = terms.Derive(secret.Span, uri.Path, claim, evidence)
            ?? throw new BrokerRefusal(BrokerError.PolicyDenied, $"the secret is derived by the claim {claim}, which the evidence does not make");
        return seal(derived.Span);
    }
}
