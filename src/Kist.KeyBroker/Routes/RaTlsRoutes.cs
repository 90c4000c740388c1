using Kist.Attestation.RaTls;
using Kist.KeyBroker.Attesting;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Tokens;
using Microsoft.AspNetCore.Http;

namespace Kist.KeyBroker.Routes;

/// <summary>
/// What the RA-TLS endpoint offers: GET /kbs/v0/resource/…, answered with the secret itself, since the connection ends in the
/// TEE; and GET and POST /kist/v1/ra-tls/challenge, by which a guest proves itself anew on the connection.
/// </summary>
sealed class RaTlsRoutes(BrokerServices services)
{
    /// <summary>Answers one request of a channel.</summary>
    public Task<Reply> HandleAsync(BrokerContext context, RaTlsChannel channel, bool isKbs, string first, string rest) => (isKbs, first, context.Method) switch
    {
        (true, "resource", "GET") => ReadAsync(context, channel, rest),
        (false, "ra-tls", "GET") when rest == "challenge" => Task.FromResult(Challenge(channel)),
        (false, "ra-tls", "POST") when rest == "challenge" => AnswerAsync(context, channel),
        _ => throw new BrokerRefusal(BrokerError.PathUnknown),
    };

    private async Task<Reply> ReadAsync(BrokerContext context, RaTlsChannel channel, string path)
    {
        if (!ResourceUri.TryParse(path, out var uri) || path.StartsWith("kbs:", StringComparison.Ordinal))
            throw new BrokerRefusal(BrokerError.PathUnknown.Saying("a resource's path is repository/type/tag"));
        var token = channel.TokenOf(context.Tenant, services.Options.RaTlsChallenge, context.Now) ?? await AttestAsync(context, channel).ConfigureAwait(false);
        return Reply.Secret(await services.Reading.ReadInClearAsync(uri, GuestRequest.Query(context), token, context.Correlation, context.Peer, context.Aborted).ConfigureAwait(false));
    }

    /// <summary>Judges the certificate, at the first request and again when what was proved has expired.</summary>
    private async Task<EarToken> AttestAsync(BrokerContext context, RaTlsChannel channel)
    {
        if (services.Options.RaTlsChallenge)
            throw new BrokerRefusal(BrokerError.ChallengeNeeded);
        var token = await services.Attestation.AttestAsync(ConnectionProof.Of(Certificate(context)), context.Correlation, context.Peer, context.Aborted).ConfigureAwait(false);
        channel.Keep(context.Tenant, token, isFresh: false);
        return token;
    }

    private static Reply Challenge(RaTlsChannel channel)
    {
        var nonce = channel.NewNonce();
        return JsonReply.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteBase64String("nonce"u8, nonce);
            writer.WriteEndObject();
        });
    }

    private async Task<Reply> AnswerAsync(BrokerContext context, RaTlsChannel channel)
    {
        // The nonce is used up before the answer is looked at.
        var nonce = channel.TakeNonce() ?? throw new BrokerRefusal(BrokerError.NonceMismatch);
        var answer = await context.ReadBodyAsync(DiceEvidence.MaxSize).ConfigureAwait(false);
        var proof = ConnectionProof.Of(Certificate(context), answer, nonce);
        channel.Keep(context.Tenant, await services.Attestation.AttestAsync(proof, context.Correlation, context.Peer, context.Aborted).ConfigureAwait(false), isFresh: true);
        return Reply.Empty;
    }

    private static byte[] Certificate(BrokerContext context) =>
        context.Http.Connection.ClientCertificate?.RawData ?? throw new BrokerRefusal(BrokerError.TokenMissing);
}
