using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Plugins;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Routes;

/// <summary>/kbs/v0/PLUGIN/…, for the plugins that are switched on. Tenants have none.</summary>
sealed class PluginRoutes(BrokerServices services)
{
    private const int MaxParts = 16;
    private const int MaxPartLength = 256;

    /// <summary>The plugin of that name, or null.</summary>
    public IBrokerPlugin? Find(BrokerContext context, string name) =>
        context.Tenant.Length > 0 ? null : services.Options.Plugins.FirstOrDefault(p => p.Name == name);

    public async Task<Reply> HandleAsync(BrokerContext context, IBrokerPlugin plugin, string rest)
    {
        var path = rest.Length == 0 ? [] : rest.Split('/');
        if (path.Length > MaxParts || path.Any(p => p.Length is 0 or > MaxPartLength))
            throw new BrokerRefusal(BrokerError.PathUnknown);
        var audience = plugin.AudienceOf(context.Method, path) ?? throw new BrokerRefusal(BrokerError.PathUnknown.Saying("the plugin has no such route"));
        if (audience == PluginAudience.Administrators)
            return await AdministratorAsync(context, plugin, path).ConfigureAwait(false);
        var token = GuestRequest.Token(services, context);
        var request = await ReadAsync(context, path).ConfigureAwait(false);
        return Reply.Json(await services.Plugins.AnswerAsync(plugin, request, token, context.Correlation, context.Peer, context.Aborted).ConfigureAwait(false));
    }

    private async Task<Reply> AdministratorAsync(BrokerContext context, IBrokerPlugin plugin, string[] path)
    {
        context.Require(AdminRole.SecretAuthor);
        var request = await ReadAsync(context, path).ConfigureAwait(false);
        try
        {
            var answer = await plugin.HandleAsync(request, context.Aborted).ConfigureAwait(false);
            services.Audit.Append(AdminRecord.Allowed(context, "plugin.administer", $"{plugin.Name}/{string.Join('/', path)}"));
            // As Trustee's does.
            return new Reply(answer, "text/xml");
        }
        catch (PluginRefusedException e)
        {
            throw new BrokerRefusal((e.IsMissing ? BrokerError.ResourceUnknown : BrokerError.Malformed).Saying(e.Message), e.Message, e);
        }
        catch (OperationFailedException e)
        {
            throw new BrokerRefusal(BrokerError.Internal, e.Message, e);
        }
    }

    private static async Task<PluginRequest> ReadAsync(BrokerContext context, string[] path) =>
        new(context.Method, path, GuestRequest.Query(context), await context.ReadBodyAsync(KbsProtocol.MaxResourceBytes).ConfigureAwait(false));
}
