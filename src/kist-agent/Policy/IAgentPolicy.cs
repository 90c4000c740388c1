using System.Text.Json;

namespace Kist.Agent.Policy;

/// <summary>Who decides about the host's requests (docs/agent-policy.md).</summary>
interface IAgentPolicy
{
    /// <summary>Returns if the rule allows the request, and throws if it does not.</summary>
    /// <param name="rule">The rule's name, such as "CreateContainerRequest".</param>
    /// <param name="input">Writes the members of the input object.</param>
    /// <exception cref="AgentException">Denied.</exception>
    void Require(string rule, Action<Utf8JsonWriter> input);
}
