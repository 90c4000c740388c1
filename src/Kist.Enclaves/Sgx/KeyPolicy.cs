namespace Kist.Enclaves.Sgx;

/// <summary>KEYREQUEST.KEYPOLICY: what goes into the key (Intel SDM vol. 3D, 36.18.2).</summary>
[Flags]
public enum KeyPolicy : ushort
{
    /// <summary>Neither measurement.</summary>
    None = 0,

    /// <summary>The key is this very enclave's.</summary>
    MrEnclave = 1,

    /// <summary>The key is shared by the enclaves of one signer (and product, unless <see cref="NoIsvProdId"/>).</summary>
    MrSigner = 2,

    /// <summary>ISVPRODID does not go into the key. Needs the attribute KSS.</summary>
    NoIsvProdId = 4,

    /// <summary>CONFIGID and CONFIGSVN go into the key. Needs the attribute KSS.</summary>
    ConfigId = 8,

    /// <summary>ISVFAMILYID goes into the key. Needs the attribute KSS.</summary>
    IsvFamilyId = 0x10,

    /// <summary>ISVEXTPRODID goes into the key. Needs the attribute KSS.</summary>
    IsvExtProdId = 0x20,
}
