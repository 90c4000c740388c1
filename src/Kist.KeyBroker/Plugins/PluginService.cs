using System.Security.Cryptography;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Resources;
using Kist.KeyBroker.Tokens;

namespace Kist.KeyBroker.Plugins;

/// <summary>Lets attested workloads use plugins: revocations and policies first, the audit entry before the answer.</summary>
sealed class PluginService(RevocationStore revocations, PolicyStore policies, ResourcePolicyJudge judge, AuditLog audit)
{
    /// <summary>A plugin's answer, encrypted to the workload's key.</summary>
    /// <exception cref="BrokerRefusal">The policy denies it, or the plugin does.</exception>
    public async Task<byte[]> AnswerAsync(IBrokerPlugin plugin, PluginRequest request, EarToken token, string correlation, string peer, CancellationToken cancellationToken)
    {
        var record = new AuditRecord
        {
            Kind = "plugin.use",
            Outcome = "denied",
            Correlation = correlation,
            Resource = $"{plugin.Name}/{string.Join('/', request.Path)}",
            Workload = token.Workload,
            Peer = peer,
            More = writer => WriteRequest(writer, token, request),
        };
        try
        {
            CheckRevocations(token);
            if (judge.Judge(policies.Global(), plugin.Name, request.Path, request.Query, token.Claims, cancellationToken) is { } why)
                throw new BrokerRefusal(BrokerError.PolicyDenied, string.Join('\n', why));
            var clear = await plugin.HandleAsync(request, cancellationToken).ConfigureAwait(false);
            byte[] answer;
            try
            {
                answer = JweEncryption.EncryptFlattened(clear, token.TeePublicKey);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(clear);
            }

            if (await audit.AppendIfAsync(_ => RevokedNever(token), record with { Outcome = "allowed" }).ConfigureAwait(false) is null)
                throw new BrokerRefusal(BrokerError.PolicyDenied);
            return answer;
        }
        catch (PluginRefusedException e)
        {
            var error = (e.IsMissing ? BrokerError.ResourceUnknown : BrokerError.Malformed).Saying(e.Message);
            await audit.AppendAsync(record with { Code = error.Code, Detail = e.Message }).ConfigureAwait(false);
            throw new BrokerRefusal(error, e.Message, e);
        }
        catch (BrokerRefusal refusal)
        {
            await audit.AppendAsync(record with { Code = refusal.Error.Code, Detail = refusal.OperatorDetail }).ConfigureAwait(false);
            throw;
        }
        catch (Exception e) when (e is PolicyFailedException or OperationFailedException or MalformedDataException)
        {
            var error = e is PolicyFailedException ? BrokerError.PolicyFailed : BrokerError.Internal;
            await audit.AppendAsync(record with { Outcome = "failed", Code = error.Code, Detail = e.Message }).ConfigureAwait(false);
            throw new BrokerRefusal(error, e.Message, e);
        }
    }

    /// <summary>Asked again with the audit entry: a revocation that was there before it holds.</summary>
    private bool RevokedNever(EarToken token)
    {
        CheckRevocations(token);
        return true;
    }

    private void CheckRevocations(EarToken token)
    {
        if (revocations.Of(token) is { } revoked)
            throw new BrokerRefusal(BrokerError.WorkloadRevoked, $"{revoked.Kind} {revoked.Value} was revoked by {revoked.By}: {revoked.Reason}");
    }

    private static void WriteRequest(Utf8JsonWriter writer, EarToken token, PluginRequest request)
    {
        writer.WriteString("token"u8, token.Id);
        writer.WriteString("method"u8, request.Method);
        writer.WriteStartObject("query"u8);
        foreach (var (name, value) in request.Query)
            writer.WriteString(name, value);
        writer.WriteEndObject();
    }
}
