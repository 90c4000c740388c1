using System.Security.Cryptography;
using System.Text.Json;
using Kist.Attestation;
using Kist.KeyBroker.Attesting;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Sessions;
using Microsoft.AspNetCore.Http;

namespace Kist.KeyBroker.Routes;

/// <summary>POST /auth and POST /attest.</summary>
sealed class HandshakeRoutes(BrokerServices services)
{
    private static readonly JsonElement NoParameters = JsonDocument.Parse("\"\"").RootElement.Clone();

    public async Task<Reply> AuthAsync(BrokerContext context)
    {
        var request = await context.ReadAsync<AuthRequest>(KbsProtocol.MaxAuthBytes).ConfigureAwait(false);
        if (request.Version != KbsProtocol.Version)
            throw new BrokerRefusal(BrokerError.VersionUnsupported);
        if (!TeeClass.IsPrimary(request.Tee) || !EvidenceVerifier.Tees.Contains(request.Tee))
            throw new BrokerRefusal(BrokerError.TeeUnsupported);

        var session = new Session(
            Guid.NewGuid().ToString("N"),
            request.Tee,
            Convert.ToBase64String(RandomNumberGenerator.GetBytes(KbsProtocol.NonceBytes)),
            context.Now + services.Options.SessionLifetime);
        if (!services.Sessions.TryAdd(session, context.Now))
            throw new BrokerRefusal(BrokerError.Busy);
        SetCookie(context, session);
        return Reply.Json(KbsJson.Write(new Challenge { Nonce = session.Nonce, ExtraParams = NoParameters }));
    }

    public async Task<Reply> AttestAsync(BrokerContext context)
    {
        // The session is taken before the body is looked at: whatever comes of this request, its nonce is used up.
        var id = context.SessionCookie() ?? throw new BrokerRefusal(BrokerError.SessionMissing);
        var session = services.Sessions.TryUse(id, context.Now, out var taken) switch
        {
            SessionUse.Granted => taken!,
            SessionUse.AlreadyUsed => throw new BrokerRefusal(BrokerError.SessionUsed),
            _ => throw new BrokerRefusal(BrokerError.SessionUnknown),
        };
        var body = await context.ReadBodyAsync(KbsProtocol.MaxAttestBytes).ConfigureAwait(false);
        var request = BrokerContext.Parse<AttestRequest>(body, KbsProtocol.MaxAttestBytes);
        var token = await services.Attestation.AttestAsync(session, request, body, context.Correlation, context.Peer, context.Aborted).ConfigureAwait(false);
        services.Sessions.SetToken(session.Id, token);
        SetCookie(context, session);
        return Reply.Json(KbsJson.Write(new AttestResponse { Token = token }));
    }

    // Browsers are no guests, but nothing is lost by telling them to keep the cookie to themselves.
    private static void SetCookie(BrokerContext context, Session session) =>
        context.Http.Response.Cookies.Append(KbsProtocol.SessionCookie, session.Id, new CookieOptions
        {
            Expires = session.Expires,
            Path = context.BasePath + KbsProtocol.BasePath,
            HttpOnly = true,
            Secure = context.Http.Request.IsHttps,
            SameSite = SameSiteMode.Strict,
        });
}
