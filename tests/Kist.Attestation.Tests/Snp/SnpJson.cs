using System.Text.Json;
using Kist.Attestation.Snp;

namespace Kist.Attestation.Tests.Snp;

/// <summary>Writes a report as guests of Confidential Containers do: serde's form of the virtee sev crate's AttestationReport.</summary>
internal static class SnpJson
{
    public static byte[] Write(SnpReport report, SnpProduct product, ReadOnlySpan<byte> vcek)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("attestation_report");
            WriteReport(writer, report, product);
            writer.WriteEndObject();
            writer.WriteStartArray("cert_chain");
            writer.WriteStartObject();
            writer.WriteString("cert_type", "VCEK");
            Bytes(writer, "data", vcek);
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static void WriteReport(Utf8JsonWriter writer, SnpReport report, SnpProduct product)
    {
        writer.WriteNumber("version", report.Version);
        writer.WriteNumber("guest_svn", report.GuestSvn);
        writer.WriteNumber("policy", report.Policy.Value);
        Bytes(writer, "family_id", report.FamilyId.Span);
        Bytes(writer, "image_id", report.ImageId.Span);
        writer.WriteNumber("vmpl", report.Vmpl);
        writer.WriteNumber("sig_algo", report.SignatureAlgorithm);
        Tcb(writer, "current_tcb", report.CurrentTcb(product));
        writer.WriteNumber("plat_info", report.PlatformInfo.Value);
        writer.WriteNumber("key_info", report.KeyInfo);
        Bytes(writer, "report_data", report.ReportData.Span);
        Bytes(writer, "measurement", report.Measurement.Span);
        Bytes(writer, "host_data", report.HostData.Span);
        Bytes(writer, "id_key_digest", report.IdKeyDigest.Span);
        Bytes(writer, "author_key_digest", report.AuthorKeyDigest.Span);
        Bytes(writer, "report_id", report.ReportId.Span);
        Bytes(writer, "report_id_ma", report.MigrationAgentReportId.Span);
        Tcb(writer, "reported_tcb", report.ReportedTcb(product));
        Optional(writer, "cpuid_fam_id", report.Version >= 3 ? report.CpuidFamily : null);
        Optional(writer, "cpuid_mod_id", report.Version >= 3 ? report.CpuidModel : null);
        Optional(writer, "cpuid_step", report.Version >= 3 ? report.CpuidStepping : null);
        Bytes(writer, "chip_id", report.ChipId.Span);
        Tcb(writer, "committed_tcb", report.CommittedTcb(product));
        Version(writer, "current", report.CurrentVersion);
        Version(writer, "committed", report.CommittedVersion);
        Tcb(writer, "launch_tcb", report.LaunchTcb(product));
        if (report.Version >= 5)
        {
            writer.WriteNumber("launch_mit_vector", report.LaunchMitigationVector);
            writer.WriteNumber("current_mit_vector", report.CurrentMitigationVector);
        }

        writer.WriteStartObject("signature");
        Bytes(writer, "r", report.Signature.Span[..72]);
        Bytes(writer, "s", report.Signature.Span[72..144]);
        writer.WriteEndObject();
    }

    private static void Tcb(Utf8JsonWriter writer, string name, SnpTcbVersion tcb)
    {
        writer.WriteStartObject(name);
        Optional(writer, "fmc", tcb.Fmc);
        writer.WriteNumber("bootloader", tcb.Bootloader);
        writer.WriteNumber("tee", tcb.Tee);
        writer.WriteNumber("snp", tcb.Snp);
        writer.WriteNumber("microcode", tcb.Microcode);
        writer.WriteEndObject();
    }

    private static void Version(Utf8JsonWriter writer, string name, Version version)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("major", version.Major);
        writer.WriteNumber("minor", version.Minor);
        writer.WriteNumber("build", version.Build);
        writer.WriteEndObject();
    }

    private static void Optional(Utf8JsonWriter writer, string name, byte? value)
    {
        if (value is { } number)
            writer.WriteNumber(name, number);
        else
            writer.WriteNull(name);
    }

    private static void Bytes(Utf8JsonWriter writer, string name, ReadOnlySpan<byte> bytes)
    {
        writer.WriteStartArray(name);
        foreach (var b in bytes)
            writer.WriteNumberValue(b);
        writer.WriteEndArray();
    }
}
