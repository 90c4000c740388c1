namespace Kist.Attestation.Tpm;

/// <summary>What the finding codes of TPM quotes mean.</summary>
internal static class TpmExplanations
{
    public static IEnumerable<FindingExplanation> All =>
    [
        new("tpm.ak", "the attestation key is a TPM's",
            "A quote proves no more than its key does. The key is trusted if it is pinned as a trust anchor of vendor \"tpm\" "
            + "(by the SHA-256 of its SubjectPublicKeyInfo), if it has a certificate that ends at such an anchor, or if it is a "
            + "reference value of the claim ak_public.", "TPM 2.0 Library part 1 section 9.5.3"),
        new("tpm.quote.signature", "the attestation key signed the quote",
            "RSASSA, RSAPSS or ECDSA with SHA-2 over the whole TPMS_ATTEST. SHA-1 never verifies.", "TPM 2.0 Library part 2 section 11.3"),
        new("tpm.quote.pcrs", "the register values are those that were quoted",
            "The quote holds only a digest over the selected registers; the guest sends the values beside it. They are believed "
            + "only if their digest is the quoted one, and only those that were selected become claims.", TpmQuoteCheck.Spec),
        new("tpm.eventlog", "the measured-boot log replays to the quoted registers",
            "The log says what was measured; the registers say whether it tells the truth. A log that does not replay makes no claims.",
            "TCG PC Client Firmware Profile section 10"),
        new("tpm.binding.report_data", "the quote was made for this request", "extraData holds the value that was asked for.", TpmQuoteCheck.Spec),
        new("tpm.binding.init_data", "the guest was started with the announced init-data", "PCR 8 holds the digest, extended once from zero."),
        new("tpm.simulated", "the key is of a real TPM", "The pinned key belongs to a simulated platform."),
    ];
}
