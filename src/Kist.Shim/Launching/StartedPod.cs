using Kist.Pods;
using Kist.Pods.Protocol.Agent;

namespace Kist.Shim.Launching;

/// <summary>A pod whose guest runs.</summary>
/// <param name="Pod">The guest.</param>
/// <param name="Single">What to ask for where the task is a pod of its own; null for a pod of several containers.</param>
internal sealed record StartedPod(RunningPod Pod, CreateContainerRequest? Single);
