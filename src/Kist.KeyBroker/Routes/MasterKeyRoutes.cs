using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Routes;

/// <summary>/kist/v1/master-key: which one wraps, what it wraps, and its change.</summary>
sealed class MasterKeyRoutes(BrokerServices services)
{
    private const int MaxBodyBytes = 8 * 1024;

    public async Task<Reply> HandleAsync(BrokerContext context)
    {
        switch (context.Method)
        {
            case "GET":
                context.Require(AdminRole.KeyKeeper | AdminRole.Auditor);
                return Status();
            case "POST":
                context.Require(AdminRole.KeyKeeper);
                return Rotate(context, await context.ReadAsync<RotateMasterKeyRequest>(MaxBodyBytes).ConfigureAwait(false));
            default:
                throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        }
    }

    private Reply Status()
    {
        var (current, usage) = (services.Keys.Current.Id, services.MasterKeys.Usage());
        return Reply.Json(KbsJson.Write(new MasterKeyStatus
        {
            Current = current,
            Wrapped = new SortedDictionary<string, long>(usage.ToDictionary(), StringComparer.Ordinal),
            Changes = [.. services.MasterKeys.List().Select(c => new MasterKeyChangeDocument { Id = c.Id, Location = c.Location, Predecessor = c.Predecessor, At = c.At, By = c.By })],
        }));
    }

    private Reply Rotate(BrokerContext context, RotateMasterKeyRequest request)
    {
        try
        {
            services.Rotation.Rotate(request.Location, context.Now, context.Admin!.Name, id => services.Audit.Append(
                AdminRecord.Allowed(context, "master_key.change", id) with { More = w => w.WriteString("location"u8, request.Location) }));
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.Malformed.Saying(e.Message), e.Message, e);
        }
        catch (OperationFailedException e)
        {
            // Whoever may change the master key may know what is wrong with the new one.
            throw new BrokerRefusal(BrokerError.Conflict.Saying(e.Message), e.Message, e);
        }

        services.RewrapOwnKeys();
        return Status();
    }
}
