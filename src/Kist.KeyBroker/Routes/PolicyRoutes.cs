using System.Text;
using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Changes;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.References;
using Kist.KeyBroker.WhatIf;

namespace Kist.KeyBroker.Routes;

/// <summary>The protocol's policy routes, and Kist's own at /kist/v1/policies.</summary>
sealed class PolicyRoutes(BrokerServices services)
{
    // Base64 is a third longer than what it encodes; the JSON around it is short.
    private const int MaxBodyBytes = (KbsProtocol.MaxPolicyBytes / 3 * 4) + 4096;

    /// <summary>POST /kbs/v0/attestation-policy and, with an administrator's token, GET.</summary>
    public async Task<Reply> AttestationAsync(BrokerContext context)
    {
        if (context.Method == "GET")
            return Ids(context, PolicyKind.Attestation);
        context.Require(AdminRole.PolicyAuthor);
        var request = await context.ReadAsync<SetAttestationPolicyRequest>(MaxBodyBytes).ConfigureAwait(false);
        return Set(context, PolicyKind.Attestation, request.PolicyId, Decode(request.Policy));
    }

    /// <summary>POST and GET /kbs/v0/resource-policy: the global one.</summary>
    public async Task<Reply> ResourceAsync(BrokerContext context)
    {
        if (context.Method == "GET")
            return Ids(context, PolicyKind.Resource);
        context.Require(AdminRole.PolicyAuthor);
        var request = await context.ReadAsync<SetResourcePolicyRequest>(MaxBodyBytes).ConfigureAwait(false);
        return Set(context, PolicyKind.Resource, "", Decode(request.Policy));
    }

    /// <summary>/kist/v1/policies/attestation and /kist/v1/policies/resource, with the scope in ?scope=.</summary>
    public async Task<Reply> KistAsync(BrokerContext context, string rest)
    {
        var (kindName, whatIf) = rest.EndsWith("/what-if", StringComparison.Ordinal) ? (rest[..^"/what-if".Length], true) : (rest, false);
        var kind = kindName switch
        {
            "attestation" => PolicyKind.Attestation,
            "resource" => PolicyKind.Resource,
            _ => throw new BrokerRefusal(BrokerError.PathUnknown),
        };
        if (whatIf)
            return context.Method == "POST" ? await WhatIfAsync(context, kind).ConfigureAwait(false) : throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        switch (context.Method)
        {
            case "GET":
                return List(context, kind);
            case "PUT":
                context.Require(AdminRole.PolicyAuthor);
                var body = await context.ReadBodyAsync(KbsProtocol.MaxPolicyBytes).ConfigureAwait(false);
                return Set(context, kind, context.Query("scope") ?? "", Text(body.Span));
            case "DELETE":
                context.Require(AdminRole.PolicyAuthor);
                var scope = context.Query("scope") ?? "";
                if (services.Policies.Find(kind, scope) is null)
                    throw new BrokerRefusal(BrokerError.NotFound);
                return services.Changes.Submit(
                    context, new AdminChange(kind == PolicyKind.Attestation ? ChangeKind.DeleteAttestationPolicy : ChangeKind.DeleteResourcePolicy, scope, []));
            default:
                throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        }
    }

    /// <summary>What would change if the policy in the body were in force; nothing does.</summary>
    private async Task<Reply> WhatIfAsync(BrokerContext context, PolicyKind kind)
    {
        var admin = context.Require(AdminRole.PolicyAuthor);
        var text = Text((await context.ReadBodyAsync(KbsProtocol.MaxPolicyBytes).ConfigureAwait(false)).Span);
        var scope = context.Query("scope") ?? "";
        CheckScope(kind, scope);
        try
        {
            services.Engine.Check(scope.Length == 0 ? "policy" : scope, text);
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.PolicyMalformed.Saying(e.Message), e.Message, e);
        }

        var limit = (int)context.Number("limit", 50, 1, WhatIfService.MaxDecisions);
        return Reply.Json(KbsJson.Write(services.WhatIf.Run(new StoredPolicy(kind, scope, long.MaxValue, text, context.Now, admin.Name), limit, context.Aborted)));
    }

    private Reply Set(BrokerContext context, PolicyKind kind, string scope, string text)
    {
        CheckScope(kind, scope);
        return services.Changes.Submit(
            context, new AdminChange(kind == PolicyKind.Attestation ? ChangeKind.SetAttestationPolicy : ChangeKind.SetResourcePolicy, scope, Encoding.UTF8.GetBytes(text)));
    }

    private static void CheckScope(PolicyKind kind, string scope)
    {
        var valid = kind == PolicyKind.Attestation
            ? ReferenceStore.IsName(scope)
            : scope.Length == 0 || ResourceUri.IsPart(scope) || (ResourceUri.TryParse(scope, out var uri) && uri.Path == scope);
        if (!valid)
            throw new BrokerRefusal(BrokerError.Malformed.Saying(kind == PolicyKind.Attestation
                ? "a policy's id is 1 to 512 printable characters without white space"
                : "a resource policy's scope is empty, \"floor\", a repository, or repository/type/tag"));
    }

    private Reply Ids(BrokerContext context, PolicyKind kind)
    {
        context.Require(AdminRole.PolicyAuthor | AdminRole.Auditor);
        IEnumerable<string> ids = services.Policies.List(kind).Select(p => p.Scope.Length == 0 ? "resource-policy" : p.Scope);
        if (kind == PolicyKind.Attestation)
            ids = DefaultPolicies.Classes.Select(c => $"default_{c}").Union(ids);
        else
            ids = ids.Prepend("resource-policy").Distinct();
        return JsonReply.Write(w =>
        {
            w.WriteStartArray();
            foreach (var id in ids)
                w.WriteStringValue(id);
            w.WriteEndArray();
        });
    }

    private Reply List(BrokerContext context, PolicyKind kind)
    {
        context.Require(AdminRole.PolicyAuthor | AdminRole.Auditor);
        IEnumerable<StoredPolicy> policies = services.Policies.List(kind, context.Query("history") == "true");
        if (context.Query("scope") is { } scope)
            policies = policies.Where(p => p.Scope == scope);
        else if (context.Query("history") != "true")
            policies = WithDefaults(kind, policies);
        return Reply.Json(KbsJson.Write(new PolicyList
        {
            Policies = [.. policies.Select(p => new PolicyDocument
            {
                Kind = Name(kind), Scope = p.Scope, Version = p.Version, Text = p.Text, SetAt = p.At, SetBy = p.By,
            })],
        }));
    }

    // Version 0 is what holds until something else is set.
    private static IEnumerable<StoredPolicy> WithDefaults(PolicyKind kind, IEnumerable<StoredPolicy> stored)
    {
        var list = stored.ToList();
        IEnumerable<StoredPolicy> defaults = kind == PolicyKind.Resource
            ? [new StoredPolicy(kind, "", 0, DefaultPolicies.Resource, DateTimeOffset.UnixEpoch, "kist")]
            : DefaultPolicies.Classes.Select(c => new StoredPolicy(kind, $"default_{c}", 0, DefaultPolicies.Attestation($"default_{c}")!, DateTimeOffset.UnixEpoch, "kist"));
        return defaults.Where(d => list.All(p => p.Scope != d.Scope)).Concat(list).OrderBy(p => p.Scope, StringComparer.Ordinal);
    }

    private static string Decode(string base64Url)
    {
        try
        {
            // kbs-client sends no padding; what other tools send with it means the same.
            return Text(Base64Url.Decode(base64Url.AsSpan().TrimEnd('='), KbsProtocol.MaxPolicyBytes, "policy"));
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.PolicyMalformed.Saying(e.Message), e.Message, e);
        }
    }

    private static string Text(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8);
        }
        catch (DecoderFallbackException e)
        {
            throw new BrokerRefusal(BrokerError.PolicyMalformed.Saying("the policy is not UTF-8"), e.Message, e);
        }
    }

    private static string Name(PolicyKind kind) => kind == PolicyKind.Attestation ? "attestation" : "resource";
}
