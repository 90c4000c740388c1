namespace Kist.Enclaves.Sgx;

/// <summary>KEYREQUEST.KEYNAME: which key EGETKEY derives (Intel SDM vol. 3D, 36.18.1).</summary>
public enum KeyName : ushort
{
    /// <summary>The key of EINIT tokens; for launch enclaves.</summary>
    EInitToken = 0,

    /// <summary>The provisioning key; needs the attribute PROVISIONKEY.</summary>
    Provision = 1,

    /// <summary>The provisioning seal key; needs the attribute PROVISIONKEY.</summary>
    ProvisionSeal = 2,

    /// <summary>The key with which reports for this enclave are made.</summary>
    Report = 3,

    /// <summary>A key for data that this enclave, or its kin by the policy, keeps.</summary>
    Seal = 4,
}
