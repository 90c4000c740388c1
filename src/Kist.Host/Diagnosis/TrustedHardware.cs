namespace Kist.Host;

/// <summary>Which TEEs this machine offers, as a host or as a guest.</summary>
internal static class TrustedHardware
{
    private sealed record Tee(string Id, string Name, string[] Signs);

    private static readonly Tee[] Known =
    [
        new("tee.tdx-host", "Intel TDX host", ["/sys/module/kvm_intel/parameters/tdx"]),
        new("tee.snp-host", "AMD SEV host", ["/dev/sev"]),
        new("tee.sgx", "Intel SGX", ["/dev/sgx_enclave"]),
        new("tee.tdx-guest", "Intel TDX guest", ["/dev/tdx_guest"]),
        new("tee.snp-guest", "AMD SEV-SNP guest", ["/dev/sev-guest"]),
        new("tee.tpm", "TPM 2.0", ["/dev/tpmrm0", "/dev/tpm0"]),
        new("tee.nitro", "AWS Nitro Enclaves", ["/dev/nsm", "/dev/nitro_enclaves"]),
    ];

    public static IEnumerable<DiagnosisItem> All()
    {
        var found = false;
        foreach (var tee in Known)
        {
            if (Array.Find(tee.Signs, IsPresent) is not { } sign)
                continue;
            found = true;
            yield return new(tee.Id, DiagnosisState.Ok, $"{tee.Name}: {sign}", "is there; docs/limitations.md says what has been tried on such hardware");
        }

        if (!found)
        {
            yield return new(
                "tee", DiagnosisState.Absent, "no TEE device was found",
                "guests run on the simulated TDX platform: real formats and checks, no protection from this machine's owner");
        }
    }

    /// <summary>A module parameter says by its content whether it is on; a device by being there.</summary>
    private static bool IsPresent(string path) => path.StartsWith("/sys/", StringComparison.Ordinal)
        ? File.Exists(path) && File.ReadAllText(path).AsSpan().Trim() is "Y" or "1"
        : File.Exists(path);
}
