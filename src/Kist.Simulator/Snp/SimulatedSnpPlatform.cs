using System.Security.Cryptography.X509Certificates;
using Kist.Measurement;
using Kist.Measurement.Snp;
using Kist.Simulator.Crypto;

namespace Kist.Simulator;

/// <summary>A simulated machine that starts SEV-SNP guests. It measures a launch by the hardware's rules and protects nothing.</summary>
public sealed class SimulatedSnpPlatform
{
    private const int ChipIdSize = 64;

    private readonly SimulatedAmdVendor _vendor;
    private readonly SimulatedSnpOptions _options;
    private readonly DeterministicEcdsa _key;
    private readonly byte[] _chipId;
    private readonly X509Certificate2 _vcek;

    /// <summary>A machine of <paramref name="vendor"/>.</summary>
    /// <param name="vendor">The vendor that certifies it.</param>
    /// <param name="options">Faults to build in; null for none.</param>
    public SimulatedSnpPlatform(SimulatedAmdVendor vendor, SimulatedSnpOptions? options = null)
    {
        _vendor = vendor;
        _options = options ?? SimulatedSnpOptions.Default;
        _key = vendor.Seed.P384Key($"vcek {_options.Instance}");
        _chipId = vendor.Seed.Bytes($"chip {_options.Instance}", ChipIdSize);
        _vcek = vendor.CertifyChip(_key, _chipId, Tcb);
    }

    /// <summary>VCEK, ASK and ARK, PEM, leaf first.</summary>
    public string CertificateChain => Dcap.Pem.Of(_vcek, _vendor.Ask, _vendor.Ark);

    // Boot loader, TEE, four reserved, SNP firmware, microcode: as a Genoa machine of 2025 has them.
    internal static byte[] Tcb => [10, 0, 0, 0, 0, 0, 23, 84];

    /// <summary>Measures a launch.</summary>
    /// <param name="inputs">The files and values that are about to be started.</param>
    /// <param name="policy">Guest policy; bit 19 allows debugging.</param>
    /// <param name="hostData">HOST_DATA, 32 bytes; empty for zeros.</param>
    /// <exception cref="Formats.OperationFailedException">Of these inputs no launch can come.</exception>
    public SimulatedSnpGuest Launch(SnpLaunchInputs inputs, ulong policy = SnpIdBlock.DefaultPolicy, ReadOnlySpan<byte> hostData = default)
    {
        if (hostData.Length is not (0 or 32))
            throw new ArgumentException($"HOST_DATA has 32 bytes, not {hostData.Length}", nameof(hostData));
        return new SimulatedSnpGuest(this, SnpLaunchMeasurement.Of(inputs), policy, hostData.ToArray());
    }

    internal byte[] Sign(SnpReportFields fields)
    {
        var chip = (byte[])_chipId.Clone();
        if (_options.OtherChip)
            chip[0] ^= 1;
        var tcb = Tcb;
        if (_options.OtherTcb)
            tcb[6]++;
        var report = fields.Write(chip, tcb);
        var signature = _key.Sign(report.AsSpan(0, SnpReportFields.SignedSize));
        if (_options.BadSignature)
            signature[^1] ^= 1;
        SnpReportFields.WriteSignature(report, signature);
        return report;
    }
}
