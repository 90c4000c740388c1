namespace Kist.Pods.Guest;

/// <summary>A downloaded package file.</summary>
/// <param name="Name">The package's name.</param>
/// <param name="Version">Its version.</param>
/// <param name="File">Where it lies.</param>
/// <param name="Sha256">Its SHA-256 as Debian's signed lists have it, and as was checked; lower-case hex.</param>
sealed record DebianPackage(string Name, string Version, string File, string Sha256);
