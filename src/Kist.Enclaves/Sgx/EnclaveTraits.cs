namespace Kist.Enclaves.Sgx;

/// <summary>ATTRIBUTES.FLAGS of an enclave (Intel SDM vol. 3D, 36.7.1).</summary>
[Flags]
public enum EnclaveTraits : ulong
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>EINIT has finished.</summary>
    Init = 0x1,

    /// <summary>A debugger may read and write the enclave: it protects nothing.</summary>
    Debug = 0x2,

    /// <summary>The enclave runs in 64-bit mode.</summary>
    Mode64Bit = 0x4,

    /// <summary>The enclave may derive provisioning keys, which identify the platform.</summary>
    ProvisionKey = 0x10,

    /// <summary>The enclave may derive the EINIT token key (launch enclaves only).</summary>
    EInitTokenKey = 0x20,

    /// <summary>Control-flow enforcement is enabled.</summary>
    Cet = 0x40,

    /// <summary>Key separation and sharing: CONFIGID, CONFIGSVN, ISVFAMILYID and ISVEXTPRODID are in use.</summary>
    Kss = 0x80,

    /// <summary>The enclave is told of asynchronous exits.</summary>
    AexNotify = 0x400,
}
