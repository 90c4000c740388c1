namespace Kist.Attestation.Dcap;

/// <summary>One level of TCB info: the least versions, and what Intel says about platforms that have them.</summary>
/// <param name="SgxComponents">16 least SVNs, compared with those of the PCK certificate.</param>
/// <param name="PceSvn">Least PCESVN.</param>
/// <param name="TdxComponents">16 least SVNs, compared with TEE_TCB_SVN; empty for SGX.</param>
/// <param name="Date">Date of the level; null in version 1.</param>
/// <param name="Status">What Intel says.</param>
/// <param name="StatusText">The status as written.</param>
/// <param name="Advisories">Advisories that apply to the level.</param>
/// <param name="ComponentNames">What each SGX component is, as far as it is said ("BIOS: Early Microcode Update").</param>
internal sealed record TcbLevel(
    byte[] SgxComponents,
    int PceSvn,
    byte[] TdxComponents,
    DateTimeOffset? Date,
    TcbStatus Status,
    string StatusText,
    string[] Advisories,
    string?[] ComponentNames);

/// <summary>One level of an enclave or module identity.</summary>
/// <param name="IsvSvn">Least security version.</param>
/// <param name="Date">Date of the level; null in version 1.</param>
/// <param name="Status">What Intel says.</param>
/// <param name="Advisories">Advisories that apply to the level.</param>
internal sealed record IdentityLevel(int IsvSvn, DateTimeOffset? Date, TcbStatus Status, string[] Advisories);

/// <summary>Identity of one major version of the TDX module.</summary>
/// <param name="Id">"TDX_01", "TDX_03", …</param>
/// <param name="MrSigner">Expected MRSIGNERSEAM, 48 bytes.</param>
/// <param name="Attributes">Expected SEAMATTRIBUTES, 8 bytes.</param>
/// <param name="AttributesMask">Which bits of them count.</param>
/// <param name="Levels">Levels, newest first; empty for the module of the first generation.</param>
internal sealed record TdxModuleIdentity(
    string Id, byte[] MrSigner, byte[] Attributes, byte[] AttributesMask, IReadOnlyList<IdentityLevel> Levels);
