using System.Text.Json;
using Kist.Pods.Protocol;

namespace Kist.Agent.Policy;

/// <summary>The policy of a guest whose owner has given none.</summary>
sealed class DenyAll(string reason) : IAgentPolicy
{
    public void Require(string rule, Action<Utf8JsonWriter> input) => throw new AgentException(
        FailureCode.PolicyDenied, "ask agent policy", rule, reason, "start the guest with init-data that has a policy.rego");
}
