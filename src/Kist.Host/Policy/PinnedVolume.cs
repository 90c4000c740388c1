using Kist.Pods.Protocol;

namespace Kist.Host;

/// <summary>A volume that a container must have.</summary>
/// <param name="Volume">As the agent will see it.</param>
/// <param name="IsContentFree">True if the host chooses the files: nothing in them may be trusted.</param>
public sealed record PinnedVolume(VolumeInput Volume, bool IsContentFree = false);
