using System.Buffers.Binary;
using Kist.Measurement;

namespace Kist.Simulator;

/// <summary>
/// Writes an SNP attestation report of version 3 (AMD 56860, table 23).
/// <code>
/// 0x000 4 VERSION 3       0x008 8 POLICY         0x034 4 SIGNATURE_ALGO 1   0x038 8 CURRENT_TCB   0x040 8 PLATFORM_INFO
/// 0x048 4 KEY_INFO 0      0x050 64 REPORT_DATA   0x090 48 MEASUREMENT       0x0c0 32 HOST_DATA    0x140 32 REPORT_ID
/// 0x160 32 REPORT_ID_MA   0x180 8 REPORTED_TCB   0x188 3 CPUID family, model, stepping            0x1a0 64 CHIP_ID
/// 0x1e0 8 COMMITTED_TCB   0x1e8 3 CURRENT build, minor, major   0x1ec 3 COMMITTED   0x1f0 8 LAUNCH_TCB
/// 0x2a0 512 SIGNATURE: R and S, 72 bytes each, little-endian
/// </code>
/// </summary>
sealed record SnpReportFields(HashValue Measurement, ulong Policy, byte[] HostData, byte[] ReportData, byte[] ReportId)
{
    public const int Size = 0x4a0;
    public const int SignedSize = 0x2a0;

    public byte[] Write(byte[] chipId, byte[] tcb)
    {
        var report = new byte[Size];
        report[0] = 3;
        BinaryPrimitives.WriteUInt64LittleEndian(report.AsSpan(0x008), Policy);
        report[0x034] = 1;
        foreach (var offset in new[] { 0x038, 0x180, 0x1e0, 0x1f0 })
            tcb.CopyTo(report, offset);
        // PLATFORM_INFO: SMT enabled.
        report[0x040] = 1;
        ReportData.CopyTo(report, 0x050);
        Measurement.Span.CopyTo(report.AsSpan(0x090));
        HostData.CopyTo(report, 0x0c0);
        ReportId.CopyTo(report, 0x140);
        report.AsSpan(0x160, 32).Fill(0xff);
        report[0x188] = 0x19;
        report[0x189] = 0x11;
        report[0x18a] = 0x01;
        chipId.CopyTo(report, 0x1a0);
        foreach (var offset in new[] { 0x1e8, 0x1ec })
        {
            report[offset] = 21;
            report[offset + 1] = 55;
            report[offset + 2] = 1;
        }

        return report;
    }

    /// <summary>Puts a signature (r then s, big-endian, 48 bytes each) into its field.</summary>
    public static void WriteSignature(byte[] report, byte[] signature)
    {
        for (var i = 0; i < 48; i++)
        {
            report[SignedSize + i] = signature[47 - i];
            report[SignedSize + 72 + i] = signature[95 - i];
        }
    }
}
