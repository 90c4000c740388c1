namespace Kist.Agent.GuestServices;

/// <summary>The container that asks for a service.</summary>
/// <param name="ContainerId">The host's identifier.</param>
/// <param name="ContainerName">Its name in the policy.</param>
sealed record Caller(string ContainerId, string ContainerName);
