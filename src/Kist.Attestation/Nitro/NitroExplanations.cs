namespace Kist.Attestation.Nitro;

/// <summary>What the finding codes of Nitro documents mean.</summary>
internal static class NitroExplanations
{
    public static IEnumerable<FindingExplanation> All =>
    [
        new("nitro.chain", "the document's certificate descends from AWS's Nitro root",
            "The document carries its certificate and every one above it. Leaves are valid for three hours, so an older document "
            + "is judged as of the time when it was made (--at).", NitroVerifier.Spec),
        new("nitro.chain.revocation", "no certificate was revoked",
            "Each certificate is looked up in its issuer's revocation list, as far as the lists are among the collateral; the finding "
            + "names the authorities whose lists were not given.", "RFC 5280 section 6.3.3"),
        new("nitro.document.algorithm", "the document is signed with ES384", "AWS's hypervisor signs with nothing else.", NitroVerifier.Spec),
        new("nitro.document.signature", "the document is signed with the certificate's key",
            "ECDSA P-384 over COSE's Sig_structure. It fails if any byte of the document was changed.", "RFC 9052 section 4.4"),
        new("nitro.document.timestamp", "the document was made while its certificate was valid", "Both are signed by AWS.", NitroVerifier.Spec),
        new("nitro.binding.report_data", "the document was made for this request", "user_data or nonce must hold the value that was asked for."),
        new("nitro.binding.init_data", "no field binds init-data", "A Nitro enclave's configuration is part of its image (PCR 0 to 2)."),
        new("nitro.debug", "the enclave is not in debug mode",
            "An enclave in debug mode has PCR 0 to 2 all zero, and its console can be read from outside."),
        new("nitro.simulated", "the document is of real hardware", "The chain ends at the root of a simulated platform."),
    ];
}
