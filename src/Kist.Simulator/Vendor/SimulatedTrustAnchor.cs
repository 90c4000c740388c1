using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;

namespace Kist.Simulator;

/// <summary>
/// The roots of simulated vendors as trust anchors. They are always marked as simulated, so that every verdict under them
/// says so and is refused unless simulated evidence was allowed.
/// </summary>
public static class SimulatedTrustAnchor
{
    /// <summary>The anchor for a simulated vendor's root certificate.</summary>
    /// <param name="vendor">Whose part it plays: "intel", "amd", …</param>
    /// <param name="root">The root certificate.</param>
    public static TrustAnchor Of(string vendor, X509Certificate2 root) => new(
        vendor,
        root.GetNameInfo(X509NameType.SimpleName, forIssuer: false),
        ImmutableArray.Create(SHA256.HashData(root.PublicKey.ExportSubjectPublicKeyInfo())),
        IsSimulated: true,
        "simulation: made by Kist from a seed on this machine");
}
