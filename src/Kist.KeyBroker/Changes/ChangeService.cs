using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.References;
using Kist.KeyBroker.Routes;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Changes;

/// <summary>
/// Every change to policies and reference values goes through here: checked, then put in force at once or, under the
/// two-person rule, once somebody else who may make such changes has approved it.
/// </summary>
sealed class ChangeService(
    Database database, ProposalStore proposals, PolicyStore policies, IPolicyEngine engine, ReferenceStore references, AuditLog audit, bool twoPersons)
{
    private const int MaxBodyBytes = 1024 * 1024;

    // What Trustee gives values that say nothing about it.
    private static readonly TimeSpan DefaultValidity = TimeSpan.FromDays(365);

    /// <summary>The role that may make changes of a kind.</summary>
    public static AdminRole RoleOf(string kind) =>
        kind.StartsWith("policy.", StringComparison.Ordinal) ? AdminRole.PolicyAuthor : AdminRole.ReferenceAuthor;

    /// <summary>Puts a change in force, or proposes it. The administrator's role was checked.</summary>
    /// <exception cref="BrokerRefusal">The change is not valid, or there is nothing to take out of force.</exception>
    public Reply Submit(BrokerContext context, AdminChange change)
    {
        Check(change);
        var by = context.Admin!.Name;
        if (!twoPersons)
        {
            database.Write(() => Apply(context, change, by, null));
            return Reply.Empty;
        }

        return database.Write(_ =>
        {
            var proposal = proposals.Add(change, context.Now, by);
            audit.Append(AdminRecord.Allowed(context, $"propose.{change.Kind}", change.Subject) with
            {
                More = w => w.WriteString("proposal"u8, proposal.Id),
                Attachments = [new AuditAttachment("proposed", change.Body)],
            });
            return Reply.Json(KbsJson.Write(Describe(proposal)), 202);
        });
    }

    /// <summary>Approves a proposal of somebody else, which puts it in force, or rejects it.</summary>
    /// <exception cref="BrokerRefusal">It is unknown, decided, the administrator's own, or needs another role.</exception>
    public Reply Decide(BrokerContext context, string id, bool approve)
    {
        context.Require(AdminRole.PolicyAuthor | AdminRole.ReferenceAuthor);
        var proposal = proposals.Find(id) ?? throw new BrokerRefusal(BrokerError.NotFound);
        var admin = context.Require(RoleOf(proposal.Change.Kind));
        if (approve && admin.Name == proposal.ProposedBy)
            throw new BrokerRefusal(BrokerError.AdminForbidden.Saying("a change is approved by somebody else than who proposed it"));
        if (approve)
            Check(proposal.Change);
        // Decided, in force and recorded: all of it, or nothing and the proposal waits on.
        database.Write(() =>
        {
            if (!proposals.Decide(id, approve ? "approved" : "rejected", context.Now, admin.Name))
                throw new BrokerRefusal(BrokerError.Conflict.Saying("the proposal was decided already"));
            if (approve)
                Apply(context, proposal.Change, proposal.ProposedBy, proposal);
            else
                audit.Append(AdminRecord.Allowed(context, $"reject.{proposal.Change.Kind}", proposal.Change.Subject) with { More = w => w.WriteString("proposal"u8, id) });
        });
        return Reply.Empty;
    }

    /// <summary>How a proposal is listed.</summary>
    public static ProposalDocument Describe(Proposal proposal) => new()
    {
        Id = proposal.Id,
        Kind = proposal.Change.Kind,
        Subject = proposal.Change.Subject,
        Body = Encoding.UTF8.GetString(proposal.Change.Body),
        ProposedAt = proposal.ProposedAt,
        ProposedBy = proposal.ProposedBy,
        Decision = proposal.Decision,
        DecidedAt = proposal.DecidedAt,
        DecidedBy = proposal.DecidedBy,
    };

    private void Check(AdminChange change)
    {
        switch (change.Kind)
        {
            case ChangeKind.SetAttestationPolicy or ChangeKind.SetResourcePolicy:
                try
                {
                    engine.Check(change.Subject.Length == 0 ? "policy" : change.Subject, Encoding.UTF8.GetString(change.Body));
                }
                catch (MalformedDataException e)
                {
                    // The author is told line and column.
                    throw new BrokerRefusal(BrokerError.PolicyMalformed.Saying(e.Message), e.Message, e);
                }

                break;
            case ChangeKind.SetReferenceSet:
                Guard(() => ReferenceStore.Check(KbsJson.Read<ReferenceSet>(change.Body, MaxBodyBytes)));
                break;
            case ChangeKind.SetReferenceValue or ChangeKind.ImportReferenceValue when !ReferenceStore.IsName(change.Subject):
                throw new BrokerRefusal(BrokerError.ReferenceMalformed.Saying("a name is 1 to 512 printable characters without white space"));
            default:
                break;
        }
    }

    private void Apply(BrokerContext context, AdminChange change, string by, Proposal? proposal)
    {
        var (now, subject) = (context.Now, change.Subject);
        long version = 0;
        switch (change.Kind)
        {
            case ChangeKind.SetAttestationPolicy:
                version = policies.Set(PolicyKind.Attestation, subject, Encoding.UTF8.GetString(change.Body), now, by).Version;
                break;
            case ChangeKind.SetResourcePolicy:
                version = policies.Set(PolicyKind.Resource, subject, Encoding.UTF8.GetString(change.Body), now, by).Version;
                break;
            case ChangeKind.DeleteAttestationPolicy:
                Found(policies.Remove(PolicyKind.Attestation, subject), BrokerError.NotFound);
                break;
            case ChangeKind.DeleteResourcePolicy:
                Found(policies.Remove(PolicyKind.Resource, subject), BrokerError.NotFound);
                break;
            case ChangeKind.SetReferenceSet:
                Guard(() => version = references.Put(KbsJson.Read<ReferenceSet>(change.Body, MaxBodyBytes), now, by));
                break;
            case ChangeKind.DeleteReferenceSet:
                Found(references.DeleteSet(subject), BrokerError.ReferenceUnknown);
                break;
            case ChangeKind.SetReferenceValue:
                using (var value = JsonDocument.Parse(change.Body))
                    Guard(() => version = references.PutValue(subject, value.RootElement, now, now + DefaultValidity, "POST /reference-value", now, by));
                break;
            case ChangeKind.ImportReferenceValue:
                var imported = ImportedValue.Read(change.Body);
                Guard(() => version = references.PutValue(subject, imported.Value, imported.NotBefore, imported.Expires, imported.Source, now, by));
                break;
            case ChangeKind.DeleteReferenceValue:
                Found(references.DeleteValue(subject), BrokerError.ReferenceUnknown);
                break;
            default:
                throw new InvalidOperationException($"{change.Kind} is no kind of change");
        }

        audit.Append(AdminRecord.Allowed(context, change.Kind, subject) with
        {
            More = w =>
            {
                if (version > 0)
                    w.WriteNumber("version"u8, version);
                if (proposal is null)
                    return;
                w.WriteString("proposal"u8, proposal.Id);
                w.WriteString("proposed_by"u8, proposal.ProposedBy);
            },
            Attachments = change.Body.Length == 0 ? [] : [new AuditAttachment(change.Kind.StartsWith("policy.", StringComparison.Ordinal) ? "policy" : "reference", change.Body)],
        });
    }

    private static void Found(bool found, BrokerError error)
    {
        if (!found)
            throw new BrokerRefusal(error);
    }

    private static void Guard(Action put)
    {
        try
        {
            put();
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.ReferenceMalformed.Saying(e.Message), e.Message, e);
        }
    }
}
