using System.Globalization;

namespace Kist.Attestation.References;

/// <summary>
/// The registers that a launch fills, and the claims by which each TEE's evidence shows them. Whoever writes reference values
/// and whoever reads them name registers by this one table.
/// </summary>
public static class LaunchRegisters
{
    /// <summary>The path of the claim that shows a register; null if this TEE's evidence does not show one of that name.</summary>
    /// <param name="tee">The TEE's name on the wire.</param>
    /// <param name="register">The register: mrtd, rtmr0 … rtmr3, mrconfigid; measurement; mrenclave, mrsigner; pcr0 … pcr23.</param>
    public static string? ClaimOf(string tee, string register) => (tee, register) switch
    {
        ("tdx", "mrtd") => "quote.body.mr_td",
        ("tdx", "mrconfigid") => "quote.body.mr_config_id",
        ("tdx", "rtmr0" or "rtmr1" or "rtmr2" or "rtmr3") => $"quote.body.rtmr_{register[4]}",
        ("sgx", "mrenclave") => "body.mr_enclave",
        ("sgx", "mrsigner") => "body.mr_signer",
        ("snp", "measurement") => register,
        ("snp", "id_key_digest" or "author_key_digest") => register,
        ("snp", "host_data") => "init_data",
        ("tpm", _) when PcrOf(register) is { } pcr => $"pcr{pcr:D2}",
        ("nitro", _) when PcrOf(register) is not null => $"pcrs.{register}",
        _ => null,
    };

    private static int? PcrOf(string register) =>
        register.StartsWith("pcr", StringComparison.Ordinal)
        && int.TryParse(register.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
        && index < 24 && register.Length == 3 + (index < 10 ? 1 : 2)
            ? index
            : null;
}
