namespace Kist.Agent.Volumes;

/// <summary>A volume that is ready to be mounted into a container.</summary>
/// <param name="Source">The folder in the guest.</param>
/// <param name="MountPath">Where the container sees it.</param>
/// <param name="ReadOnly">True if it cannot be written there.</param>
/// <param name="MayExecute">True if programs may be run from it.</param>
sealed record BoundVolume(string Source, string MountPath, bool ReadOnly, bool MayExecute);
