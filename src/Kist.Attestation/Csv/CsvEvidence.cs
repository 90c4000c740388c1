using System.Buffers.Binary;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Csv;

/// <summary>A report with Hygon's certificates for its chip.</summary>
/// <param name="Report">The report, which carries its PEK.</param>
/// <param name="Hsk">Hygon's SEV signing key; null if it is not at hand.</param>
/// <param name="Cek">The chip's key; null if it is not at hand.</param>
/// <param name="HasEventLog">True if an event log came with it.</param>
internal sealed record CsvEvidence(CsvReport Report, CsvCertificate? Hsk, CsvCertificate? Cek, bool HasEventLog)
{
    private const string Structure = "CSV evidence";
    private static readonly byte[] ExtendedMagic = "ATTESTATION_EXT\0"u8.ToArray();

    /// <summary>
    /// Reads Trustee's JSON {attestation_report{data, magic, flags}, cert_chain{hsk_cek?, pek}, serial_number, cc_eventlog?}.
    /// HSK and CEK may also lie beside it, or in the collateral, in one file as Hygon serves it.
    /// </summary>
    public static CsvEvidence Read(Evidence evidence, ICollateralSource collateral)
    {
        if (evidence.Json is not { } json)
            throw new MalformedDataException(Structure, -1, "it must be JSON with attestation_report");
        var wrapper = EvidenceJson.Require(json, "attestation_report", Structure);
        var magic = EvidenceJson.RequireByteArray(wrapper, "magic", 16, Structure);
        var flags = EvidenceJson.RequireUInt64(wrapper, "flags", Structure);
        var isExtended = magic.AsSpan().SequenceEqual(ExtendedMagic);
        if (!isExtended && magic.AsSpan().ContainsAnyExcept((byte)0) || (isExtended && flags > 1))
            throw new MalformedDataException(Structure, -1, "magic and flags are of no known kind of report");
        var report = CsvReport.Parse(EvidenceJson.RequireByteArray(wrapper, "data", CsvReport.PageSize, Structure), isExtended && flags == 1);
        var (hsk, cek) = FindAuthorities(json, report, evidence, collateral);
        return new CsvEvidence(report, hsk, cek, EvidenceJson.Optional(json, "cc_eventlog", Structure) is not null);
    }

    private static (CsvCertificate? Hsk, CsvCertificate? Cek) FindAuthorities(
        JsonElement json, CsvReport report, Evidence evidence, ICollateralSource collateral)
    {
        var chain = EvidenceJson.Optional(json, "cert_chain", Structure);
        if (chain is { } given && EvidenceJson.Optional(given, "hsk_cek", Structure) is { } pair)
        {
            return (CsvCertificate.ParseAuthority(CsvJsonCertificate.Authority(EvidenceJson.Require(pair, "hsk", Structure))),
                CsvCertificate.Parse(CsvJsonCertificate.Platform(EvidenceJson.Require(pair, "cek", Structure))));
        }

        var file = evidence.Certificates.IsEmpty ? collateral.Find(new CollateralKey(CollateralKey.HygonHskCek, report.SerialNumber)) : evidence.Certificates;
        if (file is not { } bytes)
            return (null, null);
        if (bytes.Length != CsvCertificate.AuthoritySize + CsvCertificate.Size)
            throw new MalformedDataException(Structure, -1, $"HSK and CEK are {bytes.Length} bytes, not {CsvCertificate.AuthoritySize + CsvCertificate.Size}");
        return (CsvCertificate.ParseAuthority(bytes[..CsvCertificate.AuthoritySize]), CsvCertificate.Parse(bytes[CsvCertificate.AuthoritySize..]));
    }
}

/// <summary>Rebuilds certificates' bytes from the JSON in which csv-rs writes them.</summary>
internal static class CsvJsonCertificate
{
    private const string Structure = "Hygon certificate (JSON)";

    /// <summary>A PEK or CEK: {body{ver, data{firmware, reserved1, pubkey{usage, algo, key{g, x, y}}, …}}, sigs[2]}.</summary>
    public static byte[] Platform(JsonElement json)
    {
        var bytes = new byte[CsvCertificate.Size];
        var body = EvidenceJson.Require(json, "body", Structure);
        var data = EvidenceJson.Require(body, "data", Structure);
        var firmware = EvidenceJson.Require(data, "firmware", Structure);
        var key = EvidenceJson.Require(data, "pubkey", Structure);
        Number(body, "ver", bytes, 0x000, 4);
        Number(firmware, "major", bytes, 0x004, 1);
        Number(firmware, "minor", bytes, 0x005, 1);
        Number(data, "reserved1", bytes, 0x006, 2);
        Number(key, "usage", bytes, 0x008, 4);
        Number(key, "algo", bytes, 0x00C, 4);
        Point(EvidenceJson.Require(key, "key", Structure), bytes, 0x010);
        Number(data, "uid_size", bytes, 0x0A4, 2);
        Bytes(data, "user_id", 254, bytes, 0x0A6);
        Bytes(data, "sid", 16, bytes, 0x1A4);
        Bytes(data, "reserved2", 608, bytes, 0x1B4);
        var signatures = EvidenceJson.Require(json, "sigs", Structure);
        if (signatures.ValueKind != JsonValueKind.Array || signatures.GetArrayLength() != 2)
            throw new MalformedDataException(Structure, -1, "sigs must be an array of two");
        for (var i = 0; i < 2; i++)
        {
            var offset = 0x414 + 520 * i;
            Number(signatures[i], "usage", bytes, offset, 4);
            Number(signatures[i], "algo", bytes, offset + 4, 4);
            Signature(EvidenceJson.Require(signatures[i], "signature", Structure), bytes, offset + 8);
            Bytes(signatures[i], "_reserved", 368, bytes, offset + 152);
        }

        return bytes;
    }

    /// <summary>An HSK: {body{preamble{ver, data{kid, sid, usage, reserved}}, pubkey{g, x, y}, uid_size, user_id, reserved}, signature, _reserved}.</summary>
    public static byte[] Authority(JsonElement json)
    {
        var bytes = new byte[CsvCertificate.AuthoritySize];
        var body = EvidenceJson.Require(json, "body", Structure);
        var preamble = EvidenceJson.Require(body, "preamble", Structure);
        var data = EvidenceJson.Require(preamble, "data", Structure);
        Number(preamble, "ver", bytes, 0x000, 4);
        Bytes(data, "kid", 16, bytes, 0x004);
        Bytes(data, "sid", 16, bytes, 0x014);
        Number(data, "usage", bytes, 0x024, 4);
        Bytes(data, "reserved", 24, bytes, 0x028);
        Point(EvidenceJson.Require(body, "pubkey", Structure), bytes, 0x040);
        Number(body, "uid_size", bytes, 0x0D4, 2);
        Bytes(body, "user_id", 254, bytes, 0x0D6);
        Bytes(body, "reserved", 108, bytes, 0x1D4);
        Signature(EvidenceJson.Require(json, "signature", Structure), bytes, 0x240);
        Bytes(json, "_reserved", 112, bytes, 0x2D0);
        return bytes;
    }

    private static void Point(JsonElement key, byte[] bytes, int offset)
    {
        Number(key, "g", bytes, offset, 4);
        Bytes(key, "x", 72, bytes, offset + 4);
        Bytes(key, "y", 72, bytes, offset + 76);
    }

    private static void Signature(JsonElement signature, byte[] bytes, int offset)
    {
        Bytes(signature, "r", 72, bytes, offset);
        Bytes(signature, "s", 72, bytes, offset + 72);
    }

    private static void Number(JsonElement parent, string name, byte[] bytes, int offset, int size)
    {
        Span<byte> value = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(value, EvidenceJson.RequireUInt64(parent, name, Structure));
        if (value[size..].ContainsAnyExcept((byte)0))
            throw new MalformedDataException(Structure, -1, $"member {name} does not fit {size} bytes");
        value[..size].CopyTo(bytes.AsSpan(offset));
    }

    private static void Bytes(JsonElement parent, string name, int size, byte[] bytes, int offset) =>
        EvidenceJson.RequireByteArray(parent, name, size, Structure).CopyTo(bytes, offset);
}
