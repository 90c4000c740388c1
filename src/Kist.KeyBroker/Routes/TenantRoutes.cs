using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Tenants;

namespace Kist.KeyBroker.Routes;

/// <summary>/kist/v1/tenants: which there are. Only for administrators of no tenant.</summary>
sealed class TenantRoutes(BrokerServices services)
{
    public Reply Handle(BrokerContext context)
    {
        switch (context.Method)
        {
            case "GET":
                context.Require(AdminRole.TokenAuthor | AdminRole.Auditor);
                return Reply.Json(KbsJson.Write(new TenantList
                {
                    Tenants = [.. services.Tenants.List().Select(t => new TenantDocument { Name = t.Name, CreatedAt = t.CreatedAt, CreatedBy = t.CreatedBy, ClosedAt = t.ClosedAt })],
                }));
            case "POST":
                var admin = context.Require(AdminRole.TokenAuthor);
                var name = context.RequiredQuery("name");
                if (!TenantScope.IsName(name))
                    throw new BrokerRefusal(BrokerError.Malformed.Saying($"a tenant's name is 1 to {TenantScope.MaxNameLength} of a to z, 0 to 9 and -"));
                services.Change(() => services.Tenants.Open(name, context.Now, admin.Name)
                    ? AdminRecord.Allowed(context, "tenant.open", name)
                    : throw new BrokerRefusal(BrokerError.Conflict.Saying("there is such a tenant")));
                return Reply.Json(default, 201);
            case "DELETE":
                context.Require(AdminRole.TokenAuthor);
                var closed = context.RequiredQuery("name");
                services.Change(() => services.Tenants.Close(closed, context.Now)
                    ? AdminRecord.Allowed(context, "tenant.close", closed)
                    : throw new BrokerRefusal(BrokerError.NotFound));
                return Reply.Empty;
            default:
                throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        }
    }
}
