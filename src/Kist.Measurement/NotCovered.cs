namespace Kist.Measurement;

/// <summary>Something that a launch on hardware measures and this prediction does not, or not certainly.</summary>
/// <param name="Register">The register whose predicted value it affects, in lower case: "rtmr0", "mrtd", "pcr4", …</param>
/// <param name="What">What is not covered.</param>
/// <param name="Why">Why not, and what would cover it.</param>
public sealed record NotCovered(string Register, string What, string Why);
