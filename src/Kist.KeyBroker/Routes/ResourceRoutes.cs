using System.Security.Cryptography;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Routes;

/// <summary>GET, POST and DELETE /resource/repository/type/tag.</summary>
sealed class ResourceRoutes(BrokerServices services)
{
    public Task<Reply> HandleAsync(BrokerContext context, string path)
    {
        if (!ResourceUri.TryParse(path, out var uri) || path.StartsWith("kbs:", StringComparison.Ordinal))
            throw new BrokerRefusal(BrokerError.PathUnknown.Saying("a resource's path is repository/type/tag"));
        return context.Method switch
        {
            "GET" => ReadAsync(context, uri),
            "POST" => WriteAsync(context, uri),
            "DELETE" => Task.FromResult(Delete(context, uri)),
            _ => throw new BrokerRefusal(BrokerError.MethodNotAllowed),
        };
    }

    private async Task<Reply> ReadAsync(BrokerContext context, ResourceUri uri)
    {
        var token = GuestRequest.Token(services, context);
        return Reply.Json(await services.Reading.ReadAsync(uri, GuestRequest.Query(context), token, context.Correlation, context.Peer, context.Aborted).ConfigureAwait(false));
    }

    private async Task<Reply> WriteAsync(BrokerContext context, ResourceUri uri)
    {
        var admin = context.Require(AdminRole.SecretAuthor);
        var body = await context.ReadBodyAsync(KbsProtocol.MaxResourceBytes).ConfigureAwait(false);
        try
        {
            services.Resources.Put(uri.Path, body.Span, context.Now, admin.Name, version =>
                services.Audit.Append(AdminRecord.Allowed(context, "resource.write", uri.Path) with { More = w => w.WriteNumber("version"u8, version) }));
            return Reply.Empty;
        }
        finally
        {
            if (System.Runtime.InteropServices.MemoryMarshal.TryGetArray(body, out var array))
                CryptographicOperations.ZeroMemory(array);
        }
    }

    private Reply Delete(BrokerContext context, ResourceUri uri)
    {
        context.Require(AdminRole.SecretAuthor);
        services.Change(() => services.Resources.Delete(uri.Path, context.Now)
            ? AdminRecord.Allowed(context, "resource.delete", uri.Path)
            : throw new BrokerRefusal(BrokerError.ResourceUnknown));
        return Reply.Empty;
    }
}
