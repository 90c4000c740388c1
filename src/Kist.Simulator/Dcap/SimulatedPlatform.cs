using System.Security.Cryptography;
using System.Text;
using Kist.Simulator.Crypto;
using Kist.Simulator.Vendor;

namespace Kist.Simulator.Dcap;

/// <summary>A simulated machine with SGX and TDX: its certified key, and the quoting enclaves that sign its quotes.</summary>
sealed class SimulatedPlatform
{
    /// <summary>Vendor identity of Intel's quoting enclaves, 939a7233-f79c-4ca9-940a-0db3957f0607: verifiers know no other.</summary>
    private static ReadOnlySpan<byte> QeVendorId =>
        [0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07];

    private readonly SimulatedPlatformOptions _options;
    private readonly SimulatedCertificateAuthority _pck;
    private readonly DeterministicEcdsa _attestationKey;
    private readonly byte[] _qeId;
    private readonly byte[] _cpuSvn;
    private readonly string _chain;

    public SimulatedPlatform(SimulatedVendor vendor, SimulatedPlatformOptions options)
    {
        _options = options;
        var identity = IdentityOf(vendor, options);
        _pck = vendor.IssuePck(identity);
        _cpuSvn = identity.CpuSvn;
        _qeId = vendor.Seed.Bytes($"qe id {options.Instance}", 16);
        _attestationKey = vendor.Seed.P256Key($"attestation key {options.Instance}");
        var chainVendor = options.ChainOf ?? vendor;
        var leaf = options.ChainOf is null ? _pck : chainVendor.IssuePck(identity);
        _chain = Pem.Of(leaf.Certificate, chainVendor.PckCa(options.IsMultiPackage).Certificate, chainVendor.Root.Certificate);
    }

    /// <summary>CPUSVN as enclave reports show it, 16 bytes.</summary>
    public ReadOnlySpan<byte> CpuSvn => _cpuSvn;

    /// <summary>What the platform's certificate says.</summary>
    public static SimulatedSgxPlatformIdentity IdentityOf(SimulatedVendor vendor, SimulatedPlatformOptions options) => new()
    {
        Ppid = vendor.Seed.Bytes($"ppid {options.Instance}", 16),
        PlatformInstanceId = vendor.Seed.Bytes($"platform instance {options.Instance}", 16),
        CpuSvn = SimulatedTcb.SgxComponents(options.Tcb),
        PceSvn = SimulatedTcb.PceSvn(options.Tcb),
        IsMultiPackage = options.IsMultiPackage,
    };

    /// <summary>A quote of version 4 for a TD report body (584 bytes).</summary>
    public byte[] QuoteTdx(ReadOnlySpan<byte> body)
    {
        byte[] signed = [4, 0, 2, 0, 0x81, 0, 0, 0, 0, 0, 0, 0, .. QeVendorId, .. _qeId, 0, 0, 0, 0, .. body];
        // Version 4 nests what version 3 has flat: the QE's report and the PCK chain are certification data of type 6.
        return Join(signed, CertificationData(6, [.. SignedQeReport(SimulatedQuotingEnclave.Tdx), .. CertificationData(5, ChainBytes())]));
    }

    /// <summary>A quote of version 3 for an SGX report body (384 bytes).</summary>
    public byte[] QuoteSgx(ReadOnlySpan<byte> body)
    {
        byte[] signed =
        [
            3, 0, 2, 0, 0, 0, 0, 0, SimulatedQuotingEnclave.Sgx.Svn, 0, (byte)SimulatedTcb.PceSvn(_options.Tcb), 0,
            .. QeVendorId, .. _qeId, 0, 0, 0, 0, .. body,
        ];
        return Join(signed, [.. SignedQeReport(SimulatedQuotingEnclave.Sgx), .. CertificationData(5, ChainBytes())]);
    }

    private byte[] Join(byte[] signed, byte[] certification)
    {
        var signature = _attestationKey.Sign(signed);
        if (_options.BadQuoteSignature)
            signature[^1] ^= 1;
        byte[] data = [.. signature, .. _attestationKey.PublicPoint, .. certification];
        return [.. signed, .. BitConverter.GetBytes(data.Length), .. data];
    }

    // The QE's report, the PCK's signature over it, and the authentication data with its length.
    private byte[] SignedQeReport(SimulatedQuotingEnclave enclave)
    {
        var authentication = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
        var binding = SHA256.HashData([.. _attestationKey.PublicPoint, .. authentication]);
        if (_options.BadQeBinding)
            binding[0] ^= 1;
        var report = enclave.Report(_cpuSvn, binding, _options.DebugQuotingEnclave);
        var signature = _pck.Key.Sign(report);
        if (_options.BadQeReportSignature)
            signature[^1] ^= 1;
        return [.. report, .. signature, .. BitConverter.GetBytes((ushort)authentication.Length), .. authentication];
    }

    // Intel's library ends the PEM text with a NUL that counts.
    private byte[] ChainBytes() => [.. Encoding.ASCII.GetBytes(_chain), 0];

    private static byte[] CertificationData(ushort type, byte[] data) =>
        [.. BitConverter.GetBytes(type), .. BitConverter.GetBytes(data.Length), .. data];
}
