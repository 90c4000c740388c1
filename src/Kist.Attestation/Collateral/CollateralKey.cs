namespace Kist.Attestation;

/// <summary>Names one piece of collateral.</summary>
/// <param name="Kind">What it is; see the constants.</param>
/// <param name="Name">Which one: see the constant of the kind.</param>
public readonly record struct CollateralKey(string Kind, string Name)
{
    /// <summary>
    /// AMD's chain for a product, PEM or concatenated DER: ASK (or ASVK) and ARK. Name: "Milan/vcek", "Genoa/vlek", …
    /// </summary>
    public const string AmdChain = "amd.chain";

    /// <summary>
    /// AMD's CRL for a product, DER. Name: "Milan/vcek", "Genoa/vlek", …
    /// </summary>
    public const string AmdCrl = "amd.crl";

    /// <summary>
    /// A VCEK certificate, DER. Name: product, chip identity and TCB as in the path of AMD's key server, such as
    /// "Milan/00ff…?blSPL=03&amp;teeSPL=00&amp;snpSPL=08&amp;ucodeSPL=115".
    /// </summary>
    public const string AmdVcek = "amd.vcek";

    /// <summary>
    /// Intel's collateral of one kind of platform as one document (see <see cref="DcapCollateralJson"/>), for caches. Name: FMSPC,
    /// authority and TEE, such as "00906ed50000/processor/sgx".
    /// </summary>
    public const string IntelDcap = "intel.dcap";

    /// <summary>
    /// The PCK certificate chain of an Intel platform whose quotes do not carry it, PEM. Name: the QE identity (16 bytes) in
    /// hexadecimal; where the quote has raw TCB values, then a slash and CPUSVN, PCESVN and PCEID (20 bytes).
    /// </summary>
    public const string IntelPckChain = "intel.pck_chain";

    /// <summary>A revocation list of an authority of AWS's Nitro enclaves, DER or PEM. Name: SHA-256 of the issuer's name, in hexadecimal.</summary>
    public const string AwsCrl = "aws.crl";

    /// <summary>
    /// A reference integrity manifest of NVIDIA, XML. Name: its identifier (NV_GPU_VBIOS_…), or "version/" and the version that
    /// it is about.
    /// </summary>
    public const string NvidiaRim = "nvidia.rim";

    /// <summary>
    /// Public key of a CCA or PSA platform, PEM (PUBLIC KEY, or certificates). Name: its instance id, hexadecimal in lower case.
    /// </summary>
    public const string ArmPlatformKey = "arm.platform_key";

    /// <summary>Hygon's HSK and CEK certificates of a chip, as one file of 2916 bytes. Name: the chip's serial number.</summary>
    public const string HygonHskCek = "hygon.hsk_cek";

    /// <summary>Reference values in CoRIM. Name: chosen by whoever provides them.</summary>
    public const string Corim = "corim";
}
