using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.References;

namespace Kist.KeyBroker.Routes;

/// <summary>/kist/v1/admin-tokens: who may administer, and what.</summary>
sealed class AdminTokenRoutes(BrokerServices services)
{
    private const int MaxBodyBytes = 16 * 1024;

    public async Task<Reply> HandleAsync(BrokerContext context)
    {
        switch (context.Method)
        {
            case "GET":
                context.Require(AdminRole.TokenAuthor | AdminRole.Auditor);
                return Reply.Json(KbsJson.Write(new AdminTokenList { Tokens = [.. services.AdminTokens.List(TenantOf(context)).Select(Describe)] }));
            case "POST":
                return await CreateAsync(context).ConfigureAwait(false);
            case "DELETE":
                context.Require(AdminRole.TokenAuthor);
                var name = context.RequiredQuery("name");
                services.Change(() => services.AdminTokens.Revoke(name, context.Now, TenantOf(context))
                    ? AdminRecord.Allowed(context, "admin.token.revoke", name)
                    : throw new BrokerRefusal(BrokerError.NotFound));
                return Reply.Empty;
            default:
                throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        }
    }

    private async Task<Reply> CreateAsync(BrokerContext context)
    {
        var admin = context.Require(AdminRole.TokenAuthor);
        var request = await context.ReadAsync<CreateAdminTokenRequest>(MaxBodyBytes).ConfigureAwait(false);
        if (!ReferenceStore.IsName(request.Name))
            throw new BrokerRefusal(BrokerError.Malformed.Saying("a name is 1 to 512 printable characters without white space"));
        if (AdminRoles.Parse(request.Roles) is not { } roles)
            throw new BrokerRefusal(BrokerError.Malformed.Saying($"roles are {string.Join(", ", AdminRoles.All)}"));
        // Nobody gives away more than what that one has.
        if ((roles & ~admin.Roles) != 0)
            throw new BrokerRefusal(BrokerError.AdminForbidden, $"{admin.Name} has not all of {request.Roles}");
        if (request.Expires <= context.Now)
            throw new BrokerRefusal(BrokerError.Malformed.Saying("it would have expired already"));
        var token = "";
        try
        {
            services.Change(() =>
            {
                token = services.AdminTokens.Create(request.Name, roles, context.Now, admin.Name, request.Expires, TenantOf(context));
                return AdminRecord.Allowed(context, "admin.token.create", request.Name) with { More = w => w.WriteString("roles"u8, AdminRoles.Format(roles)) };
            });
        }
        catch (OperationFailedException e) when (!e.IsTransient)
        {
            throw new BrokerRefusal(BrokerError.Conflict.Saying($"{e.Reason}; {e.Hint}"), e.Message, e);
        }

        return Reply.Json(KbsJson.Write(Describe(new AdminTokenInfo(request.Name, roles, context.Now, admin.Name, request.Expires, null, TenantOf(context))) with { Token = token }), 201);
    }

    private static AdminTokenDocument Describe(AdminTokenInfo token) => new()
    {
        Name = token.Name,
        Roles = AdminRoles.Format(token.Roles),
        CreatedAt = token.CreatedAt,
        CreatedBy = token.CreatedBy,
        Expires = token.Expires,
        RevokedAt = token.RevokedAt,
        Tenant = token.Tenant,
    };

    // Tokens that are made at a tenant's address are good there only; those of no tenant are good everywhere.
    private static string? TenantOf(BrokerContext context) => context.Tenant.Length == 0 ? null : context.Tenant;
}
