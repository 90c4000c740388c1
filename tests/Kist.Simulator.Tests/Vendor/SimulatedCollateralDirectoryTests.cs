using Kist.Attestation;

namespace Kist.Simulator.Tests.Vendor;

public sealed class SimulatedCollateralDirectoryTests
{
    [Fact]
    public void Write_GivesTheFilesAndNothingElse()
    {
        var vendor = SimulatedVendor.FromSeed(new byte[32]);
        var folder = Directory.CreateTempSubdirectory("kist-collateral-");
        try
        {
            for (var i = 0; i < 2; i++)
                SimulatedCollateralDirectory.Write(folder.FullName, vendor, SimulatedCollateral.Issue(vendor, new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)));
            Assert.Equal(
                [
                    "pck-chain.pem", "pck-platform-ca.crl", "pck-processor-ca.crl", "qe-identity-sgx.json", "qe-identity-tdx.json", "root-ca.crl",
                    "root-ca.der", "tcb-info-sgx.json", "tcb-info-tdx.json", "tcb-signing-chain.pem", "trust-anchor.json",
                ],
                folder.GetFiles().Select(f => f.Name).Order(StringComparer.Ordinal));
            var anchor = TrustAnchorJson.Parse(File.ReadAllBytes(Path.Combine(folder.FullName, SimulatedCollateralDirectory.TrustAnchorFile)));
            Assert.True(anchor.IsSimulated);
            Assert.Equal(vendor.IntelAnchor.SpkiSha256.AsSpan(), anchor.SpkiSha256.AsSpan());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
