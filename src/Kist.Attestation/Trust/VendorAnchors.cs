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

    /// <summary>Root of SEV keys of the first EPYC generation.</summary>
    public static TrustAnchor AmdNaplesRoot { get; } = Key(
        "amd", "ARK-Naples", "3a04f8f1347de206c9206a81148ba4ef0a233b245d43a15dd82de043bb3e4f69",
        "https://developer.amd.com/wp-content/resources/ask_ark_naples.cert");

    /// <summary>Root of SEV and SEV-SNP keys of the third EPYC generation.</summary>
    public static TrustAnchor AmdMilanRoot { get; } = Key(
        "amd", "ARK-Milan", "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9",
        "https://kdsintf.amd.com/vcek/v1/Milan/cert_chain");

    /// <summary>Root of SEV-SNP keys of the fourth EPYC generation (Genoa, Bergamo, Siena).</summary>
    public static TrustAnchor AmdGenoaRoot { get; } = Key(
        "amd", "ARK-Genoa", "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831",
        "https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain");

    /// <summary>Root of SEV-SNP keys of the fifth EPYC generation.</summary>
    public static TrustAnchor AmdTurinRoot { get; } = Key(
        "amd", "ARK-Turin", "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08",
        "https://kdsintf.amd.com/vcek/v1/Turin/cert_chain");

    /// <summary>Root of AWS Nitro enclaves' attestation documents.</summary>
    public static TrustAnchor AwsNitroRoot { get; } = Key(
        "aws", "AWS Nitro Enclaves Root G1", "f2caf5ecc6190b4a8399b78bc58a2bbcd0382375db8a1bfd78a82743874fd225",
        "https://aws-nitro-enclaves.amazonaws.com/AWS_NitroEnclaves_Root-G1.zip");

    /// <summary>Root of the identities of NVIDIA GPUs and switches.</summary>
    public static TrustAnchor NvidiaDeviceRoot { get; } = Key(
        "nvidia", "NVIDIA Device Identity CA", "a90c4eb5acfd3e3d03a25db6a26b84f720ad0503196c627c21ddd48dd85b06a4",
        "https://github.com/NVIDIA/nvtrust (verifier_device_root.pem)");

    /// <summary>Root of the signers of NVIDIA's reference integrity manifests.</summary>
    public static TrustAnchor NvidiaManifestRoot { get; } = Key(
        "nvidia-rim", "NVIDIA CoRIM signing Root CA", "dec1dc316477aa851eebdf51327ae9f864bc8d89254657ed1e7eb9168af1e1a3",
        "https://github.com/NVIDIA/nvtrust (verifier_RIM_root.pem)");

    /// <summary>Root of Hygon's CSV keys (SM2).</summary>
    public static TrustAnchor HygonRoot { get; } = Key(
        "hygon", "HYGON-SSD-HRK", "cd0f130d93433c4854b7f2d883c23e281de453f4fde0621c3a07866c52c45b80", "https://cert.hygon.cn/hrk");

    /// <summary>Every vendor's roots.</summary>
    public static TrustAnchorSet All { get; } = new([IntelSgxRoot, AmdNaplesRoot, AmdMilanRoot, AmdGenoaRoot, AmdTurinRoot, AwsNitroRoot, NvidiaDeviceRoot, NvidiaManifestRoot, HygonRoot]);

    private static TrustAnchor Key(string vendor, string name, string spkiSha256, string source) =>
        new(vendor, name, ImmutableArray.Create(Convert.FromHexString(spkiSha256)), IsSimulated: false, source);
}
