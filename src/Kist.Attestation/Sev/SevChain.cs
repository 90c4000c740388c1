using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Sev;

/// <summary>A platform's whole chain. Missing AMD certificates are null.</summary>
internal sealed record SevChain(
    SevCertificate Pdh, SevCertificate Pek, SevCertificate Oca, SevCertificate Cek, AmdCaCertificate? Ask, AmdCaCertificate? Ark)
{
    private const string Structure = "SEV certificate chain";

    /// <summary>
    /// Reads PDH, PEK, OCA and CEK one after the other, as the firmware exports them, with ASK and ARK behind if they are
    /// there; or JSON with these names in lower case, each base64.
    /// </summary>
    public static SevChain Read(Evidence evidence)
    {
        if (evidence.Json is { } json)
            return ReadJson(json);
        var bytes = evidence.Bytes;
        if (bytes.Length < 4 * SevCertificate.Size)
            throw new MalformedDataException(Structure, -1, $"it is {bytes.Length} bytes, fewer than four certificates of {SevCertificate.Size}");
        var parts = Enumerable.Range(0, 4).Select(i => SevCertificate.Parse(bytes.Slice(i * SevCertificate.Size, SevCertificate.Size))).ToArray();
        var (ask, ark) = ReadAuthorities(bytes[(4 * SevCertificate.Size)..]);
        if (ask is null && !evidence.Certificates.IsEmpty)
            (ask, ark) = ReadAuthorities(evidence.Certificates);
        return new SevChain(parts[0], parts[1], parts[2], parts[3], ask, ark);
    }

    private static SevChain ReadJson(JsonElement json)
    {
        SevCertificate Part(string name) => SevCertificate.Parse(EvidenceJson.RequireBase64(json, name, Structure));
        AmdCaCertificate? Authority(string name) => EvidenceJson.OptionalBase64(json, name, Structure) is { } bytes ? Whole(bytes) : null;
        return new SevChain(Part("pdh"), Part("pek"), Part("oca"), Part("cek"), Authority("ask"), Authority("ark"));
    }

    private static AmdCaCertificate Whole(byte[] bytes)
    {
        var certificate = AmdCaCertificate.Parse(bytes);
        return certificate.Size == bytes.Length ? certificate : throw new MalformedDataException(Structure, certificate.Size, "bytes follow an AMD certificate");
    }

    private static (AmdCaCertificate? Ask, AmdCaCertificate? Ark) ReadAuthorities(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
            return (null, null);
        var ask = AmdCaCertificate.Parse(bytes);
        var ark = AmdCaCertificate.Parse(bytes[ask.Size..]);
        if (ask.Size + ark.Size != bytes.Length)
            throw new MalformedDataException(Structure, -1, "bytes follow the AMD certificates");
        return (ask, ark);
    }
}
