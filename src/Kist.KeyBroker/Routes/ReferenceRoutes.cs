using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.References;

namespace Kist.KeyBroker.Routes;

/// <summary>The protocol's reference values, and Kist's sets and values at /kist/v1.</summary>
sealed class ReferenceRoutes(BrokerServices services)
{
    private const int MaxBodyBytes = 1024 * 1024;
    private const int MaxPage = 500;

    // What Trustee gives values that say nothing about it.
    private static readonly TimeSpan DefaultValidity = TimeSpan.FromDays(365);

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
        var admin = context.Require(AdminRole.ReferenceAuthor);
        var message = await context.ReadAsync<ReferenceValueMessage>(MaxBodyBytes).ConfigureAwait(false);
        if (message.Version != "0.1.0" || message.Type != "sample")
            throw new BrokerRefusal(BrokerError.ReferenceMalformed.Saying("only version 0.1.0 and the type \"sample\" are taken here"));
        using var values = Payload(message.Payload);
        foreach (var member in values.RootElement.EnumerateObject())
        {
            Guard(() => services.References.PutValue(
                member.Name, member.Value, context.Now, context.Now + DefaultValidity, "POST /reference-value", context.Now, admin.Name));
            services.Audit.Append(AdminRecord.Allowed(context, "reference.value.set", member.Name) with
            {
                Attachments = [new AuditAttachment("value", System.Text.Encoding.UTF8.GetBytes(member.Value.GetRawText()))],
            });
        }

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
                var admin = context.Require(AdminRole.ReferenceAuthor);
                var set = await context.ReadAsync<ReferenceSet>(MaxBodyBytes).ConfigureAwait(false);
                var version = Guard(() => services.References.Put(set, context.Now, admin.Name));
                services.Audit.Append(AdminRecord.Allowed(context, "reference.set.set", set.Name) with
                {
                    Tee = set.Tee,
                    More = w => w.WriteNumber("version"u8, version),
                    Attachments = [new AuditAttachment("set", KbsJson.Write(set))],
                });
                return Reply.Empty;
            case "DELETE":
                context.Require(AdminRole.ReferenceAuthor);
                var name = context.RequiredQuery("name");
                if (!services.References.DeleteSet(name))
                    throw new BrokerRefusal(BrokerError.ReferenceUnknown);
                services.Audit.Append(AdminRecord.Allowed(context, "reference.set.delete", name));
                return Reply.Empty;
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
                if (!services.References.DeleteValue(name))
                    throw new BrokerRefusal(BrokerError.ReferenceUnknown);
                services.Audit.Append(AdminRecord.Allowed(context, "reference.value.delete", name));
                return Reply.Empty;
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

    private static JsonDocument Payload(string base64)
    {
        try
        {
            return StrictJson.ParseObject(Convert.FromBase64String(base64), MaxBodyBytes, "reference values");
        }
        catch (Exception e) when (e is FormatException)
        {
            throw new BrokerRefusal(BrokerError.ReferenceMalformed.Saying("the payload must be a JSON object from name to value, in base64"), e.Message, e);
        }
    }

    private static T Guard<T>(Func<T> put)
    {
        try
        {
            return put();
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.ReferenceMalformed.Saying(e.Message), e.Message, e);
        }
    }
}
