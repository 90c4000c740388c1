using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Changes;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Routes;

/// <summary>/kist/v1/proposals: changes that wait for a second person.</summary>
sealed class ProposalRoutes(BrokerServices services)
{
    public Reply Handle(BrokerContext context, string action)
    {
        switch (action, context.Method)
        {
            case ("", "GET"):
                context.Require(AdminRole.PolicyAuthor | AdminRole.ReferenceAuthor | AdminRole.Auditor);
                return Reply.Json(KbsJson.Write(new ProposalList
                {
                    Proposals = [.. services.Proposals.List(context.Query("decided") == "true").Select(ChangeService.Describe)],
                }));
            case ("approve", "POST"):
                return services.Changes.Decide(context, context.RequiredQuery("id"), approve: true);
            case ("reject", "POST"):
                return services.Changes.Decide(context, context.RequiredQuery("id"), approve: false);
            case ("" or "approve" or "reject", _):
                throw new BrokerRefusal(BrokerError.MethodNotAllowed);
            default:
                throw new BrokerRefusal(BrokerError.PathUnknown);
        }
    }
}
