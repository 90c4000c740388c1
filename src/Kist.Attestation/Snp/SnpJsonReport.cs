using System.Buffers.Binary;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Snp;

/// <summary>
/// Rebuilds a report's bytes from the JSON that guests of Confidential Containers send: the members of AttestationReport in
/// the virtee sev crate as serde writes them. The signature is over the bytes, so whatever JSON left out must be zero in
/// the report, or the signature fails. Read in both shapes of that crate: current{major,minor,build} as now, and
/// current_major, current_minor, current_build as before its version 6.
/// </summary>
internal static class SnpJsonReport
{
    private const string Structure = "attestation_report";

    public static byte[] ToBytes(JsonElement json)
    {
        var bytes = new byte[SnpReport.Size];
        var turin = EvidenceJson.Optional(EvidenceJson.Require(json, "reported_tcb", Structure), "fmc", Structure) is not null;
        WriteHead(json, bytes, turin);
        WriteDigests(json, bytes);
        WriteTail(json, bytes, turin);
        WriteSignature(EvidenceJson.Require(json, "signature", Structure), bytes.AsSpan(SnpReport.SignedSize));
        return bytes;
    }

    private static void WriteHead(JsonElement json, byte[] bytes, bool turin)
    {
        UInt32(json, "version", bytes, 0x000);
        UInt32(json, "guest_svn", bytes, 0x004);
        UInt64(json, "policy", bytes, 0x008);
        Bytes(json, "family_id", 16, bytes, 0x010);
        Bytes(json, "image_id", 16, bytes, 0x020);
        UInt32(json, "vmpl", bytes, 0x030);
        UInt32(json, "sig_algo", bytes, 0x034);
        Tcb(json, "current_tcb", turin, bytes, 0x038);
        UInt64(json, "plat_info", bytes, 0x040);
        UInt32(json, Has(json, "key_info") ? "key_info" : "_author_key_en", bytes, 0x048);
    }

    private static void WriteDigests(JsonElement json, byte[] bytes)
    {
        Bytes(json, "report_data", 64, bytes, 0x050);
        Bytes(json, "measurement", 48, bytes, 0x090);
        Bytes(json, "host_data", 32, bytes, 0x0C0);
        Bytes(json, "id_key_digest", 48, bytes, 0x0E0);
        Bytes(json, "author_key_digest", 48, bytes, 0x110);
        Bytes(json, "report_id", 32, bytes, 0x140);
        Bytes(json, "report_id_ma", 32, bytes, 0x160);
    }

    private static void WriteTail(JsonElement json, byte[] bytes, bool turin)
    {
        Tcb(json, "reported_tcb", turin, bytes, 0x180);
        bytes[0x188] = OptionalByte(json, "cpuid_fam_id");
        bytes[0x189] = OptionalByte(json, "cpuid_mod_id");
        bytes[0x18A] = OptionalByte(json, "cpuid_step");
        Bytes(json, "chip_id", 64, bytes, 0x1A0);
        Tcb(json, "committed_tcb", turin, bytes, 0x1E0);
        Version(json, "current", bytes, 0x1E8);
        Version(json, "committed", bytes, 0x1EC);
        Tcb(json, "launch_tcb", turin, bytes, 0x1F0);
        if (Has(json, "launch_mit_vector"))
            UInt64(json, "launch_mit_vector", bytes, 0x1F8);
        if (Has(json, "current_mit_vector"))
            UInt64(json, "current_mit_vector", bytes, 0x200);
    }

    private static void WriteSignature(JsonElement signature, Span<byte> destination)
    {
        EvidenceJson.RequireByteArray(signature, "r", 72, Structure).CopyTo(destination);
        EvidenceJson.RequireByteArray(signature, "s", 72, Structure).CopyTo(destination[72..]);
    }

    private static void Version(JsonElement json, string name, byte[] bytes, int offset)
    {
        if (EvidenceJson.Optional(json, name, Structure) is { } version)
        {
            bytes[offset] = Byte(version, "build");
            bytes[offset + 1] = Byte(version, "minor");
            bytes[offset + 2] = Byte(version, "major");
            return;
        }

        bytes[offset] = Byte(json, name + "_build");
        bytes[offset + 1] = Byte(json, name + "_minor");
        bytes[offset + 2] = Byte(json, name + "_major");
    }

    private static void Tcb(JsonElement json, string name, bool turin, byte[] bytes, int offset)
    {
        var tcb = EvidenceJson.Require(json, name, Structure);
        new SnpTcbVersion(
            turin ? Byte(tcb, "fmc") : null, Byte(tcb, "bootloader"), Byte(tcb, "tee"), Byte(tcb, "snp"), Byte(tcb, "microcode"))
            .Write(bytes.AsSpan(offset));
    }

    private static bool Has(JsonElement json, string name) => EvidenceJson.Optional(json, name, Structure) is not null;

    private static byte OptionalByte(JsonElement json, string name) => Has(json, name) ? Byte(json, name) : (byte)0;

    private static byte Byte(JsonElement json, string name)
    {
        var value = EvidenceJson.RequireUInt64(json, name, Structure);
        return value <= byte.MaxValue ? (byte)value : throw new MalformedDataException(Structure, -1, $"member {name} is above 255");
    }

    private static void UInt32(JsonElement json, string name, byte[] bytes, int offset)
    {
        var value = EvidenceJson.RequireUInt64(json, name, Structure);
        if (value > uint.MaxValue)
            throw new MalformedDataException(Structure, -1, $"member {name} does not fit 32 bits");
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), (uint)value);
    }

    private static void UInt64(JsonElement json, string name, byte[] bytes, int offset) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(offset), EvidenceJson.RequireUInt64(json, name, Structure));

    private static void Bytes(JsonElement json, string name, int size, byte[] bytes, int offset) =>
        EvidenceJson.RequireByteArray(json, name, size, Structure).CopyTo(bytes, offset);
}
