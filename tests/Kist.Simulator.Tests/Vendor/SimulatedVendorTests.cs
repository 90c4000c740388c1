using System.Security.Cryptography;
using System.Text;
using Kist.Attestation;

namespace Kist.Simulator.Tests.Vendor;

public sealed class SimulatedVendorTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 6, 0, 0, TimeSpan.Zero);

    private static readonly SimulatedVendor Vendor = SimulatedVendor.FromSeed(Seed(1));

    [Fact]
    public void FromSeed_SameSeed_GivesTheSameBytesInEverything()
    {
        var again = SimulatedVendor.FromSeed(Seed(1));
        Assert.Equal(Vendor.RootCertificate.RawData, again.RootCertificate.RawData);
        var first = SimulatedCollateral.Issue(Vendor, Now).Dcap;
        var second = SimulatedCollateral.Issue(again, Now).Dcap;
        Assert.Equal(4, first.Count);
        foreach (var (key, collateral) in first)
        {
            Assert.Equal(collateral.TcbInfo.ToArray(), second[key].TcbInfo.ToArray());
            Assert.Equal(collateral.PckCrl.ToArray(), second[key].PckCrl.ToArray());
            Assert.Equal(collateral.PckCertificateChain.ToArray(), second[key].PckCertificateChain.ToArray());
        }
    }

    [Fact]
    public void FromSeed_OtherSeed_GivesAnotherRootOfTheSameName()
    {
        var other = SimulatedVendor.FromSeed(Seed(2));
        Assert.Equal(Vendor.RootCertificate.Subject, other.RootCertificate.Subject);
        Assert.NotEqual(Vendor.IntelAnchor.SpkiSha256, other.IntelAnchor.SpkiSha256);
    }

    [Fact]
    public void IntelAnchor_IsMarkedAsSimulated()
    {
        Assert.True(Vendor.IntelAnchor.IsSimulated);
        Assert.Equal("intel", Vendor.IntelAnchor.Vendor);
        Assert.Contains("Simulated", Vendor.IntelAnchor.Name, StringComparison.Ordinal);
        Assert.Equal(SHA256.HashData(Vendor.RootCertificate.PublicKey.ExportSubjectPublicKeyInfo()), Vendor.IntelAnchor.SpkiSha256);
    }

    [Theory]
    [InlineData(PckCa.Platform)]
    [InlineData(PckCa.Processor)]
    public void Certificates_AndCrls_SatisfyOpenSsl(PckCa ca)
    {
        using var openssl = new OpenSsl();
        var platform = new SimulatedPlatformOptions { IsMultiPackage = ca == PckCa.Platform };
        var collateral = SimulatedCollateral.Issue(Vendor, Now, platform: platform).Dcap[new(SimulatedCollateral.FmspcText, ca, "tdx")];
        var root = openssl.Write("root.pem", Vendor.RootCertificate.ExportCertificatePem());
        var crls = openssl.Write("crls.pem", CrlPem(collateral.PckCrl) + CrlPem(collateral.RootCaCrl));

        foreach (var chain in new[] { collateral.PckCertificateChain, collateral.TcbInfoIssuerChain, collateral.PckCrlIssuerChain })
        {
            var leaf = openssl.Write("leaf.pem", chain.ToArray());
            var (code, output) = OpenSsl.Run(
                "verify", "-x509_strict", "-attime", Now.AddDays(1).ToUnixTimeSeconds().ToString(), "-CAfile", root, "-untrusted", leaf,
                "-CRLfile", crls, "-crl_check_all", leaf);
            Assert.True(code == 0, output);
        }
    }

    [Fact]
    public void RevokedPck_IsRefusedByOpenSsl()
    {
        using var openssl = new OpenSsl();
        var options = new SimulatedCollateralOptions { RevokedPck = true };
        var collateral = SimulatedCollateral.Issue(Vendor, Now, options).Dcap[new(SimulatedCollateral.FmspcText, PckCa.Platform, "tdx")];
        var root = openssl.Write("root.pem", Vendor.RootCertificate.ExportCertificatePem());
        var crls = openssl.Write("crls.pem", CrlPem(collateral.PckCrl) + CrlPem(collateral.RootCaCrl));
        var leaf = openssl.Write("leaf.pem", collateral.PckCertificateChain.ToArray());
        var (code, output) = OpenSsl.Run(
            "verify", "-attime", Now.AddDays(1).ToUnixTimeSeconds().ToString(), "-CAfile", root, "-untrusted", leaf, "-CRLfile", crls, "-crl_check_all", leaf);
        Assert.NotEqual(0, code);
        Assert.Contains("revoked", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Statements_AreSignedOverTheirExactText()
    {
        var collateral = SimulatedCollateral.Issue(Vendor, Now).Dcap[new(SimulatedCollateral.FmspcText, PckCa.Platform, "tdx")];
        foreach (var document in new[] { collateral.TcbInfo, collateral.QeIdentity })
        {
            var text = Encoding.UTF8.GetString(document.Span);
            var start = text.IndexOf(":{", StringComparison.Ordinal) + 1;
            var end = text.IndexOf(",\"signature\":\"", StringComparison.Ordinal);
            var signature = Convert.FromHexString(text[(end + 14)..^2]);
            using var key = Vendor.TcbSigning.Key.CreatePublicKey();
            Assert.True(key.VerifyData(Encoding.UTF8.GetBytes(text[start..end]), signature, HashAlgorithmName.SHA256));
        }
    }

    private static string CrlPem(ReadOnlyMemory<byte> der) => PemEncoding.WriteString("X509 CRL", der.Span) + "\n";

    private static byte[] Seed(byte value) => Enumerable.Repeat(value, 32).ToArray();
}
