using System.Collections.Immutable;

namespace Kist.Attestation;

/// <summary>A root key that is trusted for one kind of evidence, pinned by its public key, never by its name.</summary>
/// <param name="Vendor">Whose root it is: "intel", "amd", "aws", "nvidia", "arm", …</param>
/// <param name="Name">Its name for people, such as "Intel SGX Root CA".</param>
/// <param name="SpkiSha256">SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes.</param>
/// <param name="IsSimulated">True for the root of a simulated platform; evidence under it says so in every verdict.</param>
/// <param name="Source">Where the key was published.</param>
public sealed record TrustAnchor(string Vendor, string Name, ImmutableArray<byte> SpkiSha256, bool IsSimulated, string Source);
