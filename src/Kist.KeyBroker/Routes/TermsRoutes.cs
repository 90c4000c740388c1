using System.Text.Json;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.References;
using Kist.KeyBroker.Resources;

namespace Kist.KeyBroker.Routes;

/// <summary>/kist/v1/resource-terms and /kist/v1/revocations.</summary>
sealed class TermsRoutes(BrokerServices services)
{
    private const int MaxBodyBytes = 16 * 1024;

    public async Task<Reply> TermsAsync(BrokerContext context)
    {
        switch (context.Method)
        {
            case "GET":
                context.Require(AdminRole.SecretAuthor | AdminRole.Auditor);
                var terms = services.Terms.Find(PathOf(context)) ?? throw new BrokerRefusal(BrokerError.NotFound);
                return Reply.Json(KbsJson.Write(new ResourceTermsDocument
                {
                    MaxReads = terms.MaxReads,
                    Reads = terms.Reads,
                    Until = terms.Until,
                    DerivedBy = terms.DerivedBy,
                }));
            case "PUT":
                return await SetTermsAsync(context).ConfigureAwait(false);
            case "DELETE":
                context.Require(AdminRole.SecretAuthor);
                var path = PathOf(context);
                services.Change(() => services.Terms.Remove(path)
                    ? AdminRecord.Allowed(context, "resource.terms.delete", path)
                    : throw new BrokerRefusal(BrokerError.NotFound));
                return Reply.Empty;
            default:
                throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        }
    }

    public async Task<Reply> RevocationsAsync(BrokerContext context)
    {
        switch (context.Method)
        {
            case "GET":
                context.Require(AdminRole.SecretAuthor | AdminRole.Auditor);
                return Reply.Json(KbsJson.Write(new RevocationList
                {
                    Revocations = [.. services.Revocations.List().Select(r => new RevocationDocument
                    {
                        Kind = r.Kind, Value = r.Value, Reason = r.Reason, RevokedAt = r.At, RevokedBy = r.By,
                    })],
                }));
            case "POST":
                var admin = context.Require(AdminRole.SecretAuthor);
                var request = await context.ReadAsync<RevocationDocument>(MaxBodyBytes).ConfigureAwait(false);
                if (!RevocationStore.Kinds.Contains(request.Kind) || !ReferenceStore.IsName(request.Value) || request.Reason.Length is 0 or > 4096)
                    throw new BrokerRefusal(BrokerError.Malformed.Saying($"\"kind\" is one of {string.Join(", ", RevocationStore.Kinds)}; \"value\" and \"reason\" are needed"));
                services.Change(() =>
                {
                    services.Revocations.Add(new Revocation(request.Kind, request.Value, request.Reason, context.Now, admin.Name));
                    return AdminRecord.Allowed(context, "revoke", request.Value) with { More = w => WriteReason(w, request) };
                });
                return Reply.Empty;
            case "DELETE":
                context.Require(AdminRole.SecretAuthor);
                var (kind, value) = (context.RequiredQuery("kind"), context.RequiredQuery("value"));
                services.Change(() => services.Revocations.Remove(kind, value)
                    ? AdminRecord.Allowed(context, "revoke.lift", value)
                    : throw new BrokerRefusal(BrokerError.NotFound));
                return Reply.Empty;
            default:
                throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        }
    }

    private async Task<Reply> SetTermsAsync(BrokerContext context)
    {
        context.Require(AdminRole.SecretAuthor);
        var path = PathOf(context);
        var request = await context.ReadAsync<ResourceTermsDocument>(MaxBodyBytes).ConfigureAwait(false);
        if (request.MaxReads < 0 || (request.DerivedBy is not null && !ReferenceStore.IsName(request.DerivedBy)))
            throw new BrokerRefusal(BrokerError.Malformed.Saying("\"max_reads\" is 0 or more, and \"derived_by\" the path of a claim"));
        var terms = new ResourceTerms(request.MaxReads, 0, request.Until, request.DerivedBy);
        services.Change(() =>
        {
            services.Terms.Set(path, terms);
            return AdminRecord.Allowed(context, "resource.terms.set", path) with { Attachments = [new AuditAttachment("terms", KbsJson.Write(request))] };
        });
        return Reply.Empty;
    }

    private static void WriteReason(Utf8JsonWriter writer, RevocationDocument revocation)
    {
        writer.WriteString("revoked"u8, revocation.Kind);
        writer.WriteString("reason"u8, revocation.Reason);
    }

    private static string PathOf(BrokerContext context) =>
        ResourceUri.TryParse(context.RequiredQuery("path"), out var uri) ? uri.Path : throw new BrokerRefusal(BrokerError.Malformed.Saying("\"path\" must be repository/type/tag"));
}
