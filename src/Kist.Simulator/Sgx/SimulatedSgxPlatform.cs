using System.Buffers.Binary;
using Kist.Simulator.Dcap;

namespace Kist.Simulator;

/// <summary>A simulated machine that signs quotes for enclaves. It measures nothing itself and protects nothing.</summary>
public sealed class SimulatedSgxPlatform
{
    private readonly SimulatedPlatform _platform;

    /// <summary>A machine of <paramref name="vendor"/>.</summary>
    /// <param name="vendor">The vendor that certifies it.</param>
    /// <param name="options">Faults to build in; null for none.</param>
    public SimulatedSgxPlatform(SimulatedVendor vendor, SimulatedPlatformOptions? options = null) =>
        _platform = new SimulatedPlatform(vendor, options ?? SimulatedPlatformOptions.Default);

    /// <summary>A quote of version 3 for an enclave.</summary>
    /// <param name="enclave">What the enclave's report is to say.</param>
    /// <param name="reportData">REPORTDATA, 64 bytes.</param>
    public byte[] Quote(SimulatedEnclave enclave, ReadOnlySpan<byte> reportData)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(reportData.Length, 64, nameof(reportData));
        var report = new byte[384];
        _platform.CpuSvn.CopyTo(report);
        BinaryPrimitives.WriteUInt32LittleEndian(report.AsSpan(16), enclave.MiscSelect);
        enclave.Attributes.Span.CopyTo(report.AsSpan(48));
        enclave.MrEnclave.Span.CopyTo(report.AsSpan(64));
        enclave.MrSigner.Span.CopyTo(report.AsSpan(128));
        enclave.ConfigId.Span.CopyTo(report.AsSpan(192));
        BinaryPrimitives.WriteUInt16LittleEndian(report.AsSpan(256), enclave.IsvProdId);
        BinaryPrimitives.WriteUInt16LittleEndian(report.AsSpan(258), enclave.IsvSvn);
        BinaryPrimitives.WriteUInt16LittleEndian(report.AsSpan(260), enclave.ConfigSvn);
        reportData.CopyTo(report.AsSpan(320));
        return _platform.QuoteSgx(report);
    }
}
