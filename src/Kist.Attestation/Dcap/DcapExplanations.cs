namespace Kist.Attestation.Dcap;

/// <summary>What the codes mean that SGX and TDX share.</summary>
internal static class DcapExplanations
{
    private const string Library = "Intel SGX ECDSA Quote Library API, A.4";
    private const string Pcs = "Intel PCS API v4";

    public static IEnumerable<FindingExplanation> For(string tee) =>
    [
        new($"{tee}.quote.trailing", "bytes after the quote were ignored",
            "Callers often hand over their whole buffer. What follows the quote's stated end is signed by nobody; it is counted, and "
            + "never read."),
        new($"{tee}.quote.vendor", "the quote comes from Intel's quoting enclave", "The header names the vendor of the quoting enclave.", Library),
        new($"{tee}.quote.signature", "the quote is signed by its attestation key",
            "The quoting enclave signs header and report with ECDSA P-256. If this fails, the quote was changed, or its parts do not "
            + "belong together. The attestation key itself is vouched for by qe.binding and qe.signature.", Library),
        new($"{tee}.qe.binding", "the quoting enclave vouches for the attestation key",
            "The quoting enclave's own report holds SHA-256(attestation key, authentication data).", Library),
        new($"{tee}.qe.signature", "the platform vouches for the quoting enclave",
            "The quoting enclave's report is signed by the platform's provisioning certification key (PCK), whose certificate Intel issued.", Library),
        new($"{tee}.qe.identity", "the quoting enclave is Intel's",
            "MRSIGNER, ISVPRODID, MISCSELECT and ATTRIBUTES of the quoting enclave are compared with the identity that Intel signs. "
            + "SGX and TDX have different quoting enclaves, and so different identities.", Pcs),
        new($"{tee}.pck.chain", "the platform's certificate is known",
            "Quotes of certification data type 5 carry the PCK certificate chain; others only name the platform, and the chain has to be given."),
        new($"{tee}.pck", "the platform's certificate chain",
            "The PCK certificate must lead, through one of Intel's two authorities, to the pinned key of the Intel SGX Root CA. Test and "
            + "pre-production roots bear the same name: only the key counts. Revocation is judged by the CRLs in the collateral.",
            "Intel SGX PCK Certificate and CRL Profile"),
        new($"{tee}.collateral", "Intel's statements about this kind of platform",
            "TCB info, QE identity and CRLs, each signed under the same root and in force at the time of judgement. They expire after a "
            + "month: fetch them again, or keep them current with a cache (PCCS). Old evidence is judged as of its own time with --at and the "
            + "collateral of that time.", Pcs),
        new($"{tee}.tcb.status", "the platform's TCB status",
            "The versions in the PCK certificate (and, for TDX, in the report) are compared with Intel's levels; the first level that the "
            + "platform reaches gives its status, which the statuses of quoting enclave and TDX module can only worsen. UpToDate; "
            + "SWHardeningNeeded (the enclave's author must act); ConfigurationNeeded (BIOS settings); OutOfDate (firmware or microcode); "
            + "TDRelaunchAdvised (the module was updated: start the guest again); Revoked. A platform that reaches no level is refused.", Pcs),
        new($"{tee}.tcb.advisories", "advisories that the policy does not accept", "Read the advisory at Intel's security center, then update or accept it.", Pcs),
        new($"{tee}.tcb.evaluation_number", "how new Intel's evaluation is",
            "tcbEvaluationDataNumber grows with each TCB recovery. Older evaluations stay valid for months (update=standard), so that a platform "
            + "can be SWHardeningNeeded by one and OutOfDate by the next: the policy's minimum decides which count.", Pcs),
        new($"{tee}.tcb.minimum", "minimum versions of single components", "Names: pcesvn, qe_isvsvn, sgxtcbcomp01svn to sgxtcbcomp16svn, tdxtcbcomp01svn to tdxtcbcomp16svn."),
        new($"{tee}.platform.allowed", "the platform is listed", "The policy names platforms by PPID, platform instance id or FMSPC, in hexadecimal."),
        new($"{tee}.binding.report_data", "the evidence was made for this request",
            "The verifier's nonce is in the report data. A difference means a replay, or that guest and verifier compute it differently."),
        new($"{tee}.binding.init_data", "the guest was started with this configuration",
            "The digest of the init-data document is in the launch-time field that the host sets and the hardware signs.", "CoCo init-data specification"),
        new($"{tee}.simulated", "the platform is real",
            "The evidence has the genuine format and ends at a simulation's root. It protects nothing; --allow-simulated accepts it in a test set-up."),
    ];
}
