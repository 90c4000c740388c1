using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Kist.Simulator.Dcap;

/// <summary>One of the two simulated quoting enclaves, as its report and the vendor's statement about it describe it.</summary>
/// <param name="Id">The name in the vendor's statement: "QE" or "TD_QE".</param>
/// <param name="ProductId">ISVPRODID.</param>
/// <param name="Svn">ISVSVN.</param>
sealed record SimulatedQuotingEnclave(string Id, ushort ProductId, byte Svn)
{
    /// <summary>The quoting enclave for enclaves.</summary>
    public static SimulatedQuotingEnclave Sgx { get; } = new("QE", 1, 8);

    /// <summary>The quoting enclave for trust domains.</summary>
    public static SimulatedQuotingEnclave Tdx { get; } = new("TD_QE", 2, 4);

    /// <summary>MRSIGNER, 32 bytes.</summary>
    public static byte[] MrSigner => SHA256.HashData("kist simulated quoting enclave signer"u8);

    /// <summary>ATTRIBUTES without debugging: INIT and PROVISION_KEY, XFRM left to the mask.</summary>
    public static byte[] Attributes => [0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>The report body, 384 bytes.</summary>
    /// <param name="cpuSvn">CPUSVN, 16 bytes.</param>
    /// <param name="reportData">The first 32 bytes of REPORTDATA; the rest is zero.</param>
    /// <param name="debug">True to set ATTRIBUTES.DEBUG.</param>
    public byte[] Report(ReadOnlySpan<byte> cpuSvn, ReadOnlySpan<byte> reportData, bool debug)
    {
        var report = new byte[384];
        cpuSvn.CopyTo(report);
        // MODE64BIT is set besides; the vendor's mask leaves it out, as it does for the real enclaves.
        Attributes.CopyTo(report, 48);
        report[48] |= (byte)(0x04 | (debug ? 0x02 : 0));
        report[56] = 0xe7;
        SHA256.HashData(System.Text.Encoding.ASCII.GetBytes($"kist simulated {Id}")).CopyTo(report, 64);
        MrSigner.CopyTo(report, 128);
        BinaryPrimitives.WriteUInt16LittleEndian(report.AsSpan(256), ProductId);
        BinaryPrimitives.WriteUInt16LittleEndian(report.AsSpan(258), Svn);
        reportData.CopyTo(report.AsSpan(320));
        return report;
    }
}
