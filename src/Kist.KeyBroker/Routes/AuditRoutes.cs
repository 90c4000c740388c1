using System.Globalization;
using System.Text;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Routes;

/// <summary>GET /kist/v1/audit/…, for auditors.</summary>
sealed class AuditRoutes(BrokerServices services)
{
    private const int MaxPage = 1000;

    public Reply Handle(BrokerContext context, string path)
    {
        context.Require(AdminRole.Auditor);
        if (context.Method != "GET")
            throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        // The log itself, with its proofs, is of all tenants; one sees entries of its own.
        if (context.Tenant.Length > 0 && path != "search")
            throw new BrokerRefusal(BrokerError.AdminForbidden.Saying("a tenant may only search the audit log"));
        return path switch
        {
            "head" => Head(context),
            "key" => JsonReply.Write(services.AuditKey.PublicKey.WriteTo),
            "checkpoint" => Checkpoint(),
            "entries" => Entries(services.Audit.Entries(context.Number("from", 0, 0, long.MaxValue), Limit(context))),
            "search" => Entries(services.Audit.Search(Query(context))),
            "inclusion" => Proof(services.Audit.Inclusion(
                context.Number("sequence", 0, 0, long.MaxValue), context.Number("size", 0, 0, long.MaxValue))),
            "consistency" => Proof(services.Audit.Consistency(
                context.Number("first", 0, 0, long.MaxValue), context.Number("second", 0, 0, long.MaxValue))),
            "attachment" => services.Audit.Attachment(context.RequiredQuery("digest")) is { } content
                ? new Reply(content, "application/octet-stream")
                : throw new BrokerRefusal(BrokerError.NotFound),
            _ => throw new BrokerRefusal(BrokerError.PathUnknown),
        };
    }

    private Reply Head(BrokerContext context)
    {
        var (size, root) = services.Audit.Head();
        return Reply.Json(KbsJson.Write(TreeHeads.Sign(services.AuditKey, size, root, context.Now)));
    }

    /// <summary>Where the log begins, once old entries were removed.</summary>
    private Reply Checkpoint() => services.Database.Read(AuditCheckpoint.Latest) is { } checkpoint
        ? Reply.Json(KbsJson.Write(checkpoint))
        : throw new BrokerRefusal(BrokerError.NotFound.Saying("no entry was ever removed"));

    private static AuditQuery Query(BrokerContext context) => new(
        Before: context.Query("before") is null ? null : context.Number("before", 0, 0, long.MaxValue),
        Limit: Limit(context),
        From: Time(context, "from"),
        Until: Time(context, "until"),
        Tenant: context.Query("tenant"),
        Kind: context.Query("kind"),
        Outcome: context.Query("outcome"),
        Correlation: context.Query("correlation"),
        Resource: context.Query("resource"),
        Workload: context.Query("workload"),
        Actor: context.Query("actor"),
        Tee: context.Query("tee"));

    private static int Limit(BrokerContext context) => (int)context.Number("limit", 100, 1, MaxPage);

    private static DateTimeOffset? Time(BrokerContext context, string name)
    {
        if (context.Query(name) is not { } text)
            return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new BrokerRefusal(BrokerError.Malformed.Saying($"the query parameter \"{name}\" must be a time as in RFC 3339"));
    }

    private static Reply Entries(IReadOnlyList<AuditEntry> entries) => Reply.Json(KbsJson.Write(new AuditEntryList
    {
        Entries = [.. entries.Select(e => new AuditEntryDocument { Sequence = e.Sequence, Entry = Encoding.UTF8.GetString(e.Body) })],
    }));

    private static Reply Proof(List<byte[]>? path) => path is null
        ? throw new BrokerRefusal(BrokerError.Malformed.Saying("the log has not so many entries"))
        : Reply.Json(KbsJson.Write(new AuditProof { Path = [.. path.Select(Convert.ToHexStringLower)] }));
}
