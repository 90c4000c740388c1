using System.Diagnostics;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Routes;

/// <summary>/kist/v1/resources: what is known of secrets besides their values, and what is done with versions.</summary>
sealed class ResourceAdminRoutes(BrokerServices services)
{
    private const int MaxPage = 1000;

    /// <summary>How long one request wraps anew before it answers what is left: less than a request may take.</summary>
    private static readonly TimeSpan RewrapTime = TimeSpan.FromSeconds(15);

    public Reply Handle(BrokerContext context, string action) => (action, context.Method) switch
    {
        ("", "GET") => List(context),
        ("versions", "GET") => Versions(context),
        ("restore", "POST") => Change(context, "resource.restore", path => services.Resources.Restore(path, context.Now)),
        ("purge", "POST") => Change(context, "resource.purge", services.Resources.Purge),
        ("select", "POST") => Change(
            context, "resource.select", path => services.Resources.Select(path, context.Number("version", 0, 1, long.MaxValue), context.Now)),
        ("rewrap", "POST") when context.Tenant.Length == 0 => Rewrap(context),
        ("" or "versions" or "restore" or "purge" or "select" or "rewrap", _) => throw new BrokerRefusal(BrokerError.MethodNotAllowed),
        _ => throw new BrokerRefusal(BrokerError.PathUnknown),
    };

    private Reply List(BrokerContext context)
    {
        context.Require(AdminRole.SecretAuthor | AdminRole.Auditor);
        var found = services.Resources.List(
            context.Query("after") ?? "", (int)context.Number("limit", 100, 1, MaxPage), context.Query("deleted") == "true");
        return Reply.Json(KbsJson.Write(new ResourceList
        {
            Resources = [.. found.Select(r => new ResourceDocument
            {
                Path = r.Path, Version = r.CurrentVersion, Size = r.SizeBytes, CreatedAt = r.CreatedAt, UpdatedAt = r.UpdatedAt, DeletedAt = r.DeletedAt,
            })],
        }));
    }

    private Reply Versions(BrokerContext context)
    {
        context.Require(AdminRole.SecretAuthor | AdminRole.Auditor);
        var versions = services.Resources.Versions(PathOf(context));
        if (versions.Count == 0)
            throw new BrokerRefusal(BrokerError.ResourceUnknown);
        return Reply.Json(KbsJson.Write(new ResourceVersionList
        {
            Versions = [.. versions.Select(v => new ResourceVersionDocument
            {
                Version = v.Version, Size = v.SizeBytes, CreatedAt = v.CreatedAt, CreatedBy = v.CreatedBy, MasterKey = v.MasterKey,
            })],
        }));
    }

    private Reply Change(BrokerContext context, string kind, Func<string, bool> change)
    {
        context.Require(AdminRole.SecretAuthor);
        var path = PathOf(context);
        services.Change(() => change(path)
            ? AdminRecord.Allowed(context, kind, path)
            : throw new BrokerRefusal(BrokerError.ResourceUnknown.Saying("there is no such resource, or it is not in the state that this needs")));
        return Reply.Empty;
    }

    /// <summary>Wraps the keys of secrets that an earlier master key protects with the present one, while requests go on.</summary>
    private Reply Rewrap(BrokerContext context)
    {
        const int batch = 100;
        context.Require(AdminRole.SecretAuthor | AdminRole.KeyKeeper);
        services.RewrapOwnKeys();
        var begun = Stopwatch.GetTimestamp();
        long count = 0;
        int some;
        while (Stopwatch.GetElapsedTime(begun) < RewrapTime && (some = services.Resources.RewrapSome(batch)) > 0)
        {
            count += some;
            context.Aborted.ThrowIfCancellationRequested();
        }

        services.Audit.Append(AdminRecord.Allowed(context, "resource.rewrap", services.Keys.Current.Id) with { More = w => w.WriteNumber("versions"u8, count) });
        return JsonReply.Write(w =>
        {
            w.WriteStartObject();
            w.WriteNumber("rewrapped"u8, count);
            w.WriteNumber("left"u8, services.Resources.CountToRewrap());
            w.WriteEndObject();
        });
    }

    private static string PathOf(BrokerContext context) =>
        ResourceUri.TryParse(context.RequiredQuery("path"), out var uri) ? uri.Path : throw new BrokerRefusal(BrokerError.Malformed.Saying("\"path\" must be repository/type/tag"));
}
