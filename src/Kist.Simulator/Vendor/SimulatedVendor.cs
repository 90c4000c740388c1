using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;
using Kist.Simulator.Crypto;
using Kist.Simulator.Vendor;

namespace Kist.Simulator;

/// <summary>
/// A simulated processor vendor, made from a seed: root, authorities and signing keys in the vendor's own formats and
/// under names that say what they are. The same seed gives the same keys and the same certificates, byte for byte.
/// </summary>
public sealed class SimulatedVendor
{
    private const string BaseUri = "https://simulation.kist.invalid/";

    private readonly SeedDerivation _seed;
    private readonly SimulatedCertificateAuthority _root;
    private readonly SimulatedCertificateAuthority _platformCa;
    private readonly SimulatedCertificateAuthority _processorCa;
    private readonly SimulatedCertificateAuthority _tcbSigning;

    private SimulatedVendor(SeedDerivation seed)
    {
        _seed = seed;
        _root = SimulatedCertificateAuthority.CreateRoot(
            seed.P256Key("sgx root"), "Kist Simulated SGX Root CA", Validity.OfAuthorities, BaseUri + "SGXRootCA.der");
        _platformCa = _root.Issue(
            seed.P256Key("sgx platform ca"), "Kist Simulated SGX PCK Platform CA", Validity.OfAuthorities, KeyUsage.Authority(0), BaseUri + "SGXRootCA.der");
        _processorCa = _root.Issue(
            seed.P256Key("sgx processor ca"), "Kist Simulated SGX PCK Processor CA", Validity.OfAuthorities, KeyUsage.Authority(0), BaseUri + "SGXRootCA.der");
        _tcbSigning = _root.Issue(
            seed.P256Key("sgx tcb signing"), "Kist Simulated SGX TCB Signing", Validity.OfLeaves, KeyUsage.EndEntity, BaseUri + "SGXRootCA.der");
    }

    /// <summary>The root for SGX and TDX as a trust anchor; it is marked as simulated.</summary>
    public TrustAnchor IntelAnchor => SimulatedTrustAnchor.Of("intel", RootCertificate);

    /// <summary>The root certificate for SGX and TDX.</summary>
    public X509Certificate2 RootCertificate => _root.Certificate;

    internal SeedDerivation Seed => _seed;

    internal SimulatedCertificateAuthority Root => _root;

    internal SimulatedCertificateAuthority TcbSigning => _tcbSigning;

    /// <summary>Makes a vendor.</summary>
    /// <param name="seed">32 bytes. A fresh random seed for an installation, a fixed one for tests.</param>
    public static SimulatedVendor FromSeed(ReadOnlySpan<byte> seed) => new(new SeedDerivation(seed));

    internal SimulatedCertificateAuthority PckCa(bool isMultiPackage) => isMultiPackage ? _platformCa : _processorCa;

    /// <summary>Certifies a platform's provisioning key.</summary>
    internal SimulatedCertificateAuthority IssuePck(SimulatedSgxPlatformIdentity identity)
    {
        var ca = identity.IsMultiPackage ? "platform" : "processor";
        var key = _seed.P256Key($"pck {Convert.ToHexStringLower(identity.Ppid)} {Convert.ToHexStringLower(identity.CpuSvn)} {identity.PceSvn}");
        return PckCa(identity.IsMultiPackage).Issue(
            key, "Kist Simulated SGX PCK Certificate", Validity.OfLeaves, KeyUsage.EndEntity,
            $"{BaseUri}sgx/certification/v4/pckcrl?ca={ca}&encoding=der", PckExtension.Build(identity));
    }
}
