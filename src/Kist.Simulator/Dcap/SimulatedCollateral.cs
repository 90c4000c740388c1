using System.Text;
using Kist.Attestation;
using Kist.Simulator.Dcap;

namespace Kist.Simulator;

/// <summary>
/// What a simulated vendor states about its platforms, as values for a verifier: TCB info, identities of the quoting
/// enclaves, CRLs, each with the chain of whoever signed it, for SGX and TDX and both authorities.
/// </summary>
public sealed class SimulatedCollateral : ICollateralSource
{
    private readonly Dictionary<DcapCollateralKey, DcapCollateral> _dcap;

    private SimulatedCollateral(Dictionary<DcapCollateralKey, DcapCollateral> dcap, byte[] rootCertificate)
    {
        _dcap = dcap;
        RootCertificate = rootCertificate;
    }

    /// <summary>The vendor's root certificate, DER. It is no trust anchor: whoever verifies pins the key.</summary>
    public ReadOnlyMemory<byte> RootCertificate { get; }

    /// <summary>All collateral for SGX and TDX by what it is for.</summary>
    public IReadOnlyDictionary<DcapCollateralKey, DcapCollateral> Dcap => _dcap;

    /// <inheritdoc/>
    public DcapCollateral? FindDcap(DcapCollateralKey key) => _dcap.GetValueOrDefault(key);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte>? Find(CollateralKey key) => null;

    /// <summary>Issues collateral.</summary>
    /// <param name="vendor">The vendor.</param>
    /// <param name="issuedAt">The time of issue; from then it is valid for <see cref="SimulatedCollateralOptions.Lifetime"/>.</param>
    /// <param name="options">Faults to build in.</param>
    /// <param name="platform">The platform to which faults that name one refer.</param>
    public static SimulatedCollateral Issue(
        SimulatedVendor vendor, DateTimeOffset issuedAt, SimulatedCollateralOptions? options = null, SimulatedPlatformOptions? platform = null)
    {
        options ??= SimulatedCollateralOptions.Default;
        platform ??= SimulatedPlatformOptions.Default;
        var time = new DateTimeOffset(issuedAt.UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);
        var dcap = new Dictionary<DcapCollateralKey, DcapCollateral>();
        foreach (var ca in new[] { PckCa.Platform, PckCa.Processor })
        {
            foreach (var tee in new[] { "sgx", "tdx" })
                dcap[new DcapCollateralKey(FmspcText, ca, tee)] = IssueOne(vendor, time, options, platform, ca, tee);
        }

        return new SimulatedCollateral(dcap, vendor.RootCertificate.RawData);
    }

    /// <summary>FMSPC of every simulated platform, as collateral is named by it.</summary>
    public static string FmspcText => Convert.ToHexStringLower(Vendor.SimulatedSgxPlatformIdentity.SimulatedFmspc);

    private static DcapCollateral IssueOne(
        SimulatedVendor vendor, DateTimeOffset time, SimulatedCollateralOptions options, SimulatedPlatformOptions platform, PckCa ca, string tee)
    {
        var tdx = tee == "tdx";
        var fmspc = Vendor.SimulatedSgxPlatformIdentity.SimulatedFmspc;
        if (options.OtherFmspc)
            fmspc[5] ^= 1;
        var (tcbFrom, tcbTo) = Period(time, options.Lifetime, options.ExpiredTcbInfo);
        var (qeFrom, qeTo) = Period(time, options.Lifetime, options.ExpiredQeIdentity);
        var (crlFrom, crlTo) = Period(time, options.Lifetime, options.ExpiredCrls);
        var issuer = vendor.PckCa(ca == PckCa.Platform);
        var pck = vendor.IssuePck(SimulatedPlatform.IdentityOf(vendor, platform)).Certificate;
        var signingChain = Encoding.ASCII.GetBytes(Pem.Of(vendor.TcbSigning.Certificate, vendor.RootCertificate));

        return new DcapCollateral
        {
            TcbInfo = SignedStatement.Write(
                "tcbInfo", w => TcbInfoWriter.Write(w, tdx, fmspc, tcbFrom, tcbTo, options), vendor.TcbSigning.Key, options.BadTcbInfoSignature),
            TcbInfoIssuerChain = signingChain,
            QeIdentity = SignedStatement.Write(
                "enclaveIdentity",
                w => QeIdentityWriter.Write(w, tdx ? SimulatedQuotingEnclave.Tdx : SimulatedQuotingEnclave.Sgx, qeFrom, qeTo, options),
                vendor.TcbSigning.Key, options.BadQeIdentitySignature),
            QeIdentityIssuerChain = signingChain,
            PckCrl = options.RevokedPck ? issuer.IssueCrl(crlFrom, crlTo, pck) : issuer.IssueCrl(crlFrom, crlTo),
            PckCrlIssuerChain = Encoding.ASCII.GetBytes(Pem.Of(issuer.Certificate, vendor.RootCertificate)),
            RootCaCrl = vendor.Root.IssueCrl(
                crlFrom, crlTo,
                [.. options.RevokedPckCa ? new[] { issuer.Certificate } : [], .. options.RevokedTcbSigning ? new[] { vendor.TcbSigning.Certificate } : []]),
            PckCertificateChain = Encoding.ASCII.GetBytes(Pem.Of(pck, issuer.Certificate, vendor.RootCertificate)),
        };
    }

    private static (DateTimeOffset From, DateTimeOffset To) Period(DateTimeOffset time, TimeSpan lifetime, bool expired) =>
        expired ? (time - lifetime - TimeSpan.FromDays(1), time - TimeSpan.FromDays(1)) : (time, time + lifetime);
}
