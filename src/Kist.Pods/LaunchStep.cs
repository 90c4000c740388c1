namespace Kist.Pods;

/// <summary>A finished step of a launch, for progress and for timing.</summary>
/// <param name="Name">Stable: "probe", "prepare", "measure", "start", "boot".</param>
/// <param name="Duration">How long it took.</param>
public sealed record LaunchStep(string Name, TimeSpan Duration);
