using Kist.Formats;

namespace Kist.Attestation.Snp;

/// <summary>Reads a report and refuses what the specification rules out, before anything is believed.</summary>
public static class SnpReportReader
{
    private const string Structure = "SNP attestation report";
    private const uint LastKnownVersion = 5;

    /// <summary>Reads a report of exactly <see cref="SnpReport.Size"/> bytes.</summary>
    /// <exception cref="MalformedDataException">
    /// Its length is wrong, its version is below 2, or a field that is reserved in its version is not zero. The reserved
    /// fields of versions after 5 are not judged here: the verifier refuses such a report.
    /// </exception>
    public static SnpReport Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != SnpReport.Size)
            throw new MalformedDataException(Structure, -1, $"it is {bytes.Length} bytes, not {SnpReport.Size}");
        var report = new SnpReport(bytes.ToArray());
        if (report.Version < 2)
            throw new MalformedDataException(Structure, 0, $"VERSION is {report.Version}; 2 is the first");
        if (report.KeyInfo >> 5 != 0)
            throw new MalformedDataException(Structure, 0x048, "bits 31:5 beside SIGNING_KEY must be zero");
        if (report.Version <= LastKnownVersion)
            CheckReserved(bytes, report.Version);
        Reserved(bytes, 0x2A0 + 48, 24, "the high bytes of R");
        Reserved(bytes, 0x2E8 + 48, 24, "the high bytes of S");
        Reserved(bytes, 0x330, 368, "the end of SIGNATURE");
        return report;
    }

    private static void CheckReserved(ReadOnlySpan<byte> bytes, uint version)
    {
        Reserved(bytes, 0x04C, 4, "the field after SIGNING_KEY");
        if (version < 3)
            Reserved(bytes, 0x188, 3, "the CPUID field of later versions");
        Reserved(bytes, 0x18B, 21, "the field before CHIP_ID");
        Reserved(bytes, 0x1EB, 1, "the field after CURRENT_MAJOR");
        Reserved(bytes, 0x1EF, 1, "the field after COMMITTED_MAJOR");
        if (version < 4)
            Reserved(bytes, 0x1F8, 16, "the mitigation vectors of later versions");
        Reserved(bytes, 0x208, 152, "the field before SIGNATURE");
    }

    private static void Reserved(ReadOnlySpan<byte> bytes, int offset, int size, string field)
    {
        var cursor = new SpanCursor(bytes.Slice(offset, size), Structure, offset);
        cursor.ReadReserved(size, field);
    }
}
