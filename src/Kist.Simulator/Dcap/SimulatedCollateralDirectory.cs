using Kist.Attestation;

namespace Kist.Simulator;

/// <summary>
/// Collateral of a simulated vendor as files, in the forms in which Intel's provisioning service gives it out, so that a
/// key broker reads a simulated vendor's as it reads the real one's (CollateralReader):
/// <code>
/// tcb-info-sgx.json   tcb-info-tdx.json   qe-identity-sgx.json   qe-identity-tdx.json   {"…":{…},"signature":"…"}
/// tcb-signing-chain.pem   pck-chain.pem                                                 PEM, leaf first
/// pck-platform-ca.crl   pck-processor-ca.crl   root-ca.crl   root-ca.der                DER
/// trust-anchor.json                                                                     see TrustAnchorJson
/// </code>
/// </summary>
public static class SimulatedCollateralDirectory
{
    /// <summary>Name of the file with the trust anchor.</summary>
    public const string TrustAnchorFile = "trust-anchor.json";

    /// <summary>Writes the files, each in one step, over those that are there.</summary>
    /// <param name="directory">The directory; it is made if it is not there.</param>
    /// <param name="vendor">The vendor, for its root.</param>
    /// <param name="collateral">What it stated.</param>
    public static void Write(string directory, SimulatedVendor vendor, SimulatedCollateral collateral)
    {
        Directory.CreateDirectory(directory);
        var platform = collateral.Dcap[Key(PckCa.Platform, "tdx")];
        foreach (var tee in new[] { "sgx", "tdx" })
        {
            Put(directory, $"tcb-info-{tee}.json", collateral.Dcap[Key(PckCa.Platform, tee)].TcbInfo);
            Put(directory, $"qe-identity-{tee}.json", collateral.Dcap[Key(PckCa.Platform, tee)].QeIdentity);
        }

        Put(directory, "tcb-signing-chain.pem", platform.TcbInfoIssuerChain);
        Put(directory, "pck-chain.pem", platform.PckCertificateChain);
        Put(directory, "pck-platform-ca.crl", platform.PckCrl);
        Put(directory, "pck-processor-ca.crl", collateral.Dcap[Key(PckCa.Processor, "sgx")].PckCrl);
        Put(directory, "root-ca.crl", platform.RootCaCrl);
        Put(directory, "root-ca.der", collateral.RootCertificate);
        Put(directory, TrustAnchorFile, TrustAnchorJson.Write(vendor.IntelAnchor));
    }

    private static DcapCollateralKey Key(PckCa ca, string tee) => new(SimulatedCollateral.FmspcText, ca, tee);

    // A reader never sees half a file: it is written beside and then put in place.
    private static void Put(string directory, string name, ReadOnlyMemory<byte> content)
    {
        var path = Path.Combine(directory, name);
        var temporary = $"{path}.{Environment.ProcessId}.new";
        File.WriteAllBytes(temporary, content.Span);
        File.Move(temporary, path, overwrite: true);
    }
}
