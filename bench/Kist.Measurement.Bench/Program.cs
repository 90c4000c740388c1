using System.Diagnostics;
using System.Security.Cryptography;
using Kist.Measurement.Firmware;
using Kist.Measurement.Sev;
using Kist.Measurement.Snp;
using Kist.Measurement.Tdx;

namespace Kist.Measurement.Bench;

/// <summary>
/// Predictions against the hash that they are made of. The limit is SHA-384 over the very same bytes in one call each for
/// pages and for records, without their structure; both are the best of several rounds in this run.
/// </summary>
static class Program
{
    private const int Rounds = 15;
    private const int FirmwareSize = 4 << 20;
    private const int VirtualCpus = 64;
    private const int PageSize = 4096;
    private const int PageInfoSize = 0x70;

    static void Main()
    {
        var firmware = new byte[FirmwareSize];
        RandomNumberGenerator.Fill(firmware);
        var image = OvmfImage.Parse(firmware);
        var snp = Best(() => Snp(image));
        var snpLimit = Best(() => SnpLimit(firmware));
        Print("SEV-SNP launch digest, 4 MiB firmware, 64 vCPU", snp, "SHA-384 of the same bytes", snpLimit);

        const string Ovmf = "/usr/share/ovmf/OVMF.fd";
        if (!File.Exists(Ovmf))
            return;
        var tdvf = OvmfImage.Parse(File.ReadAllBytes(Ovmf));
        var measured = MeasuredBytes(tdvf);
        var buffer = new byte[measured];
        var mrtd = Best(() => MrtdCalculator.Compute(tdvf, MrtdVariant.SinglePass));
        var mrtdLimit = Best(() => SHA384.HashData(buffer));
        Print("MRTD of Debian's OVMF.fd", mrtd, "SHA-384 of the same bytes", mrtdLimit);
    }

    private static HashValue Snp(OvmfImage image)
    {
        var description = SnpFirmwareDescription.Of(image) with { ResetAddress = 0x80b004 };
        return SnpLaunchMeasurement.Of(new SnpLaunchInputs
        {
            Precomputed = description,
            VirtualCpus = VirtualCpus,
            CpuSignature = CpuSignature.Find("EPYC-Milan")!.Value,
        }).LaunchDigest;
    }

    private static byte[] SnpLimit(byte[] firmware)
    {
        Span<byte> digest = stackalloc byte[48];
        var record = new byte[PageInfoSize];
        for (var at = 0; at < firmware.Length; at += PageSize)
        {
            SHA384.HashData(firmware.AsSpan(at, PageSize), digest);
            SHA384.HashData(record, digest);
        }

        for (var i = 0; i < VirtualCpus; i++)
            SHA384.HashData(record, digest);
        SHA384.HashData(firmware.AsSpan(0, PageSize), digest);
        return SHA384.HashData(firmware.AsSpan(0, PageSize));
    }

    // 128 bytes a page, and for measured pages 384 bytes a chunk of 256.
    private static int MeasuredBytes(OvmfImage image) => image.ReadTdvfSections().Sum(s =>
        (int)(s.MemorySize / PageSize) * (128 + (s.Attributes.HasFlag(TdvfSectionAttributes.MeasureContent) ? 16 * 384 : 0)));

    private static TimeSpan Best<T>(Func<T> action)
    {
        action();
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < Rounds; i++)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            var elapsed = Stopwatch.GetElapsedTime(start);
            if (elapsed < best)
                best = elapsed;
        }

        return best;
    }

    private static void Print(string what, TimeSpan ours, string limitName, TimeSpan limit) =>
        Console.Out.WriteLine($"{what}: {ours.TotalMilliseconds:0.00} ms; {limitName}: {limit.TotalMilliseconds:0.00} ms; ratio {ours / limit:0.00}");
}
