namespace Kist.Measurement;

/// <summary>One step of a measurement that is built up from pages, for explaining it.</summary>
/// <param name="Input">Which input decides it: "firmware", "kernel hashes", "processors", …</param>
/// <param name="Description">What was measured.</param>
/// <param name="Digest">The measurement after this step.</param>
public sealed record LaunchStep(string Input, string Description, HashValue Digest);
