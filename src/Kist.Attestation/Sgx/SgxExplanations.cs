namespace Kist.Attestation.Sgx;

/// <summary>What the codes that only SGX has mean.</summary>
internal static class SgxExplanations
{
    public static IEnumerable<FindingExplanation> All =>
    [
        new("sgx.enclave.svn", "the enclave's own security version",
            "The author of an enclave raises ISVSVN with each security fix. The policy's minimum keeps old, vulnerable builds out."),
        new("sgx.debug", "the enclave is not debuggable",
            "An enclave with the DEBUG attribute can be read and written from outside, so that its quote proves nothing about "
            + "secrets. Build for production; --allow-debug accepts it in a test set-up, and the verdict says so."),
    ];
}
