using System.Globalization;
using Kist.Testing;

namespace Kist.Attestation.Tests.Snp;

/// <summary>The captured SNP evidence, each with the time as of which it is judged.</summary>
internal static class SnpSamples
{
    public static VerificationOptions At(string time) => new()
    {
        Time = DateTimeOffset.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal),
    };

    public static Evidence Report(string report, string certificate)
    {
        var bytes = Testing.Evidence.Read(report);
        return new Evidence
        {
            Tee = "snp",
            Bytes = report.EndsWith(".hex", StringComparison.Ordinal)
                ? Convert.FromHexString(System.Text.Encoding.ASCII.GetString(bytes).Trim())
                : bytes,
            Certificates = Testing.Evidence.Read(certificate),
        };
    }

    public static Evidence MilanV2 => Report("snp/milan-v2-trustee/report.bin", "snp/milan-v2-trustee/vcek.der");
}
