using System.Collections.Immutable;

namespace Kist.Attestation;

/// <summary>
/// The hardware vendors' root keys, as facts with their source. Whoever needs other roots builds another
/// <see cref="TrustAnchorSet"/>.
/// </summary>
public static class VendorAnchors
{
    /// <summary>Root of Intel SGX and TDX provisioning certificates and collateral.</summary>
    public static TrustAnchor IntelSgxRoot { get; } = Key(
        "intel",
        "Intel SGX Root CA",
        "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e",
        "https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.pem");

    /// <summary>Every vendor's roots.</summary>
    public static TrustAnchorSet All { get; } = new([IntelSgxRoot]);

    private static TrustAnchor Key(string vendor, string name, string spkiSha256, string source) =>
        new(vendor, name, ImmutableArray.Create(Convert.FromHexString(spkiSha256)), IsSimulated: false, source);
}
