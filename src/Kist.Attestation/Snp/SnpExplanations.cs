namespace Kist.Attestation.Snp;

/// <summary>What the finding codes of SEV-SNP mean.</summary>
internal static class SnpExplanations
{
    private const string Kds = "AMD 57230 section 3.1";

    public static IEnumerable<FindingExplanation> All =>
    [
        new("snp.report.version", "every field of the report is known here",
            "Later versions of the report give meaning to bytes that were reserved. A report of an unknown version may say "
            + "something that this verifier would not see, so it is refused. Update kist.", SnpVerifier.Abi),
        new("snp.report.algorithm", "the report's signature algorithm is the one AMD defines",
            "Only ECDSA P-384 with SHA-384 is defined. Any other number means a damaged report.", SnpVerifier.Abi),
        new("snp.report.signing_key", "a VCEK or VLEK signed the report",
            "A host can switch off signing (MASK_CHIP_KEY); then the signature is zero and proves nothing.", SnpVerifier.Abi),
        new("snp.report.policy", "the reserved bits of the guest policy are as specified",
            "Bit 17 is always one and bits 63:26 are zero in every policy that firmware accepts.", "AMD 56860 section 4.3"),
        new("snp.certificate", "a certificate for the signing key is at hand",
            "The report is signed with a key that only the chip knows. Its certificate comes with the report (extended "
            + "report, certificate table), beside it, or from AMD's key server by chip identity and TCB. VLEK certificates "
            + "come only from the cloud provider, through the guest.", Kds),
        new("snp.chain", "the certificate descends from AMD's root key",
            "VCEK < SEV-product (ASK) < ARK, or VLEK < SEV-VLEK-product (ASVK) < ARK. The ARK is pinned by its public key "
            + "for each product; its name proves nothing.", Kds),
        new("snp.chain.revocation", "AMD has not revoked the chain", "AMD's root publishes a list for each product. Without "
            + "the list in the collateral the check is reported as not done.", "AMD 57230 section 4.3"),
        new("snp.report.signature", "the report is signed with the certificate's key",
            "ECDSA over bytes 0 to 29Fh. It fails if any of these bytes was changed, or if the certificate is of another "
            + "chip or of another firmware level: the key changes with every update.", "AMD 56860 chapter 10"),
        new("snp.product", "report and certificate name the same product line",
            "The product line decides which root may be trusted and how TCB_VERSION is read.", Kds),
        new("snp.tcb.certificate", "the certificate is for the firmware that the report names",
            "The signing key is derived from REPORTED_TCB, and its certificate states the same versions. A difference means a "
            + "certificate of another firmware level.", Kds),
        new("snp.tcb.order", "the firmware versions in the report do not contradict each other",
            "REPORTED_TCB and COMMITTED_TCB cannot be above the firmware that runs.", "AMD 56860 section 3.3"),
        new("snp.tcb.minimum", "the firmware is as new as the policy asks",
            "AMD publishes no machine-readable list of good versions; its security bulletins name the least version of each "
            + "part that holds a fix. Put these numbers into the TCB policy.", "AMD 56860 section 2.2"),
        new("snp.tcb.committed", "the firmware cannot be rolled back", "Firmware that runs and is not committed can be "
            + "replaced by the older, committed version.", "AMD 56860 section 8.5"),
        new("snp.mitigations", "the required mitigations are in force since launch",
            "Version 5 reports list mitigations as bits, both at launch and now.", SnpVerifier.Abi),
        new("snp.chip", "the certificate is that of the chip in the report",
            "VCEK certificates carry the chip's identity (64 bytes; 8 for Turin). VLEKs carry the provider's name instead.", Kds),
        new("snp.chip.allowed", "the chip is on the list of allowed ones", "The TCB policy names the machines that may be used."),
        new("snp.provider", "the cloud provider of the VLEK is accepted", "A VLEK shows whose machine it is, not which.", Kds),
        new("snp.vmpl", "the most privileged software of the guest asked for the report",
            "Software at a higher-numbered VMPL can ask for reports too. Guests that run under an SVSM or paravisor attest "
            + "from VMPL 1 to 3; allow that only together with a reviewed launch measurement.", SnpVerifier.Abi),
        new("snp.migration_agent", "the guest cannot be exported to another machine",
            "A migration agent holds the guest's keys while it moves. Without a reviewed agent no one should.", "AMD 56860 section 4.11"),
        new("snp.id_key", "the ID block is signed by an accepted key", "The ID block ties a launch to its owner.", "AMD 56860 section 8.18"),
        new("snp.author_key", "the ID key is certified by an accepted author key", "The author key lets an owner rotate ID keys.", "AMD 56860 section 8.18"),
        new("snp.guest_svn", "the guest's own security version is high enough", "GUEST_SVN comes from the ID block.", SnpVerifier.Abi),
        new("snp.binding.report_data", "the evidence was made for this request", "REPORT_DATA holds the digest of nonce and key, padded with zeros.", SnpVerifier.Abi),
        new("snp.binding.init_data", "the guest was started with the announced init-data", "HOST_DATA holds the digest, cut to 32 bytes.", SnpVerifier.Abi),
        new("snp.debug", "the host cannot look into the guest", "Policy bit DEBUG lets the host read and write the guest's memory.", "AMD 56860 section 4.3"),
        new("snp.simulated", "the evidence is of real hardware", "The chain ends at the root of a simulated platform."),
    ];
}
