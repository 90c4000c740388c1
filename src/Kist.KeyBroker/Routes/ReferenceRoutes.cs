using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Changes;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.References;

namespace Kist.KeyBroker.Routes;

/// <summary>The protocol's reference values, and Kist's sets and values at /kist/v1.</summary>
sealed class ReferenceRoutes(BrokerServices services, ReferenceImportRoutes imports)
{
    private const int MaxBodyBytes = 1024 * 1024;
    private const int MaxPage = 500;

    /// <summary>POST /kbs/v0/reference-value, and GET /kbs/v0/reference-value/name…</summary>
    public async Task<Reply> TrusteeAsync(BrokerContext context, string name)
    {
        if (context.Method == "GET" && name.Length > 0)
        {
            context.Require(AdminRole.ReferenceAuthor | AdminRole.Auditor);
            var value = services.References.FindValue(name, context.Now) ?? throw new BrokerRefusal(BrokerError.ReferenceUnknown);
            return JsonReply.Write(value.Value.WriteTo);
        }

        if (context.Method != "POST" || name.Length > 0)
            throw new BrokerRefusal(BrokerError.PluginUnknown);
        context.Require(AdminRole.ReferenceAuthor);
        var message = await context.ReadAsync<ReferenceValueMessage>(MaxBodyBytes).ConfigureAwait(false);
        if (message.Version != "0.1.0" || message.Type is not ("sample" or "corim"))
            throw new BrokerRefusal(BrokerError.ReferenceMalformed.Saying("only version 0.1.0 and the types \"sample\" and \"corim\" are taken here"));
        if (message.Type == "corim")
        {
            imports.Import(context, Bytes(message.Payload), allowUnsigned: true);
            return Reply.Json(default);
        }

        RefuseUnsigned();
        using var values = Payload(message.Payload);
        var changes = values.RootElement.EnumerateObject()
            .Select(m => new AdminChange(ChangeKind.SetReferenceValue, m.Name, Encoding.UTF8.GetBytes(m.Value.GetRawText()))).ToList();
        if (changes.Find(c => !ReferenceStore.IsName(c.Subject)) is not null)
            throw new BrokerRefusal(BrokerError.ReferenceMalformed.Saying("a name is 1 to 512 printable characters without white space"));
        // All values of a message, or none.
        services.Database.Write(() => changes.ForEach(change => services.Changes.Submit(context, change)));
        return Reply.Json(default);
    }

    /// <summary>/kist/v1/reference-sets, with the name in ?name=.</summary>
    public async Task<Reply> SetsAsync(BrokerContext context)
    {
        switch (context.Method)
        {
            case "GET":
                return ListSets(context);
            case "POST":
                context.Require(AdminRole.ReferenceAuthor);
                RefuseUnsigned();
                var set = await context.ReadAsync<ReferenceSet>(MaxBodyBytes).ConfigureAwait(false);
                return services.Changes.Submit(context, new AdminChange(ChangeKind.SetReferenceSet, set.Name, KbsJson.Write(set)));
            case "DELETE":
                context.Require(AdminRole.ReferenceAuthor);
                var name = context.RequiredQuery("name");
                if (services.References.FindSet(name) is null)
                    throw new BrokerRefusal(BrokerError.ReferenceUnknown);
                return services.Changes.Submit(context, new AdminChange(ChangeKind.DeleteReferenceSet, name, []));
            default:
                throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        }
    }

    /// <summary>/kist/v1/reference-values, with the name in ?name=.</summary>
    public Reply Values(BrokerContext context)
    {
        switch (context.Method)
        {
            case "GET":
                context.Require(AdminRole.ReferenceAuthor | AdminRole.Auditor);
                var values = context.Query("name") is { } one
                    ? services.References.ValueHistory(one)
                    : services.References.ListValues(context.Query("after") ?? "", (int)context.Number("limit", 100, 1, MaxPage));
                return Reply.Json(KbsJson.Write(new ReferenceValueList
                {
                    Values = [.. values.Select(v => new ReferenceValueDocument
                    {
                        Name = v.Name, Version = v.Version, Value = v.Value, NotBefore = v.NotBefore, Expires = v.Expires, Source = v.Source,
                        RegisteredAt = v.At, RegisteredBy = v.By, Deleted = v.Deleted, InForce = !v.Deleted && v.NotBefore <= context.Now && context.Now < v.Expires,
                    })],
                }));
            case "DELETE":
                context.Require(AdminRole.ReferenceAuthor);
                var name = context.RequiredQuery("name");
                return services.Changes.Submit(context, new AdminChange(ChangeKind.DeleteReferenceValue, name, []));
            default:
                throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        }
    }

    private Reply ListSets(BrokerContext context)
    {
        context.Require(AdminRole.ReferenceAuthor | AdminRole.Auditor);
        var sets = context.Query("name") is { } name
            ? services.References.SetHistory(name)
            : services.References.ListSets(context.Query("after") ?? "", (int)context.Number("limit", 100, 1, MaxPage));
        return Reply.Json(KbsJson.Write(new ReferenceSetList
        {
            Sets = [.. sets.Select(s => new ReferenceSetDocument
            {
                Set = s.Set, Version = s.Version, RegisteredAt = s.At, RegisteredBy = s.By, Deleted = s.Deleted,
                InForce = !s.Deleted && ReferenceStore.IsInForce(s, context.Now),
            })],
        }));
    }

    private void RefuseUnsigned()
    {
        if (services.Options.RequireSignedReferences)
            throw new BrokerRefusal(BrokerError.ReferenceUnsigned);
    }

    private static JsonDocument Payload(string base64) => StrictJson.ParseObject(Bytes(base64), MaxBodyBytes, "reference values");

    private static byte[] Bytes(string base64)
    {
        try
        {
            return Convert.FromBase64String(base64);
        }
        catch (FormatException e)
        {
            throw new BrokerRefusal(BrokerError.ReferenceMalformed.Saying("the payload is not base64"), e.Message, e);
        }
    }
}
