using Kist.Agent.Policy;
using Kist.Agent.Tee;

namespace Kist.Agent.GuestServices;

/// <summary>What of the guest its services need; known once it has booted.</summary>
interface IServedGuest
{
    ITee? Tee { get; }

    IAgentPolicy Policy { get; }

    ISecretSource Secrets { get; }
}
