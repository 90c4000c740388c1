using System.Text.Json;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Snp;

/// <summary>A report and the certificates that came with it, from any of the forms in which evidence travels.</summary>
/// <param name="Report">The report.</param>
/// <param name="Certificates">What came with it, in the order found; empty if only the report came.</param>
internal sealed record SnpEvidence(SnpReport Report, IReadOnlyList<SnpCertificate> Certificates)
{
    private const string Structure = "SNP evidence";

    /// <summary>
    /// Reads the bare report, the report followed by a certificate table (the extended form), Trustee's JSON, or
    /// configfs-tsm's files (outblob, auxblob) as JSON or CBOR, also inside a token of Veraison's ratsd.
    /// </summary>
    public static SnpEvidence Read(Evidence evidence)
    {
        if (evidence.Json is { } json)
        {
            var read = ReadJson(json);
            return evidence.Certificates.IsEmpty ? read
                : read with { Certificates = [.. read.Certificates, .. Loose(evidence.Certificates, read.Report.SigningKey)] };
        }

        if (SnpTsmReport.IsCbor(evidence.Bytes.Span))
            return FromTsm(SnpTsmReport.ReadCbor(evidence.Bytes));
        var bytes = evidence.Bytes.Span;
        var report = SnpReportReader.Parse(bytes[..Math.Min(bytes.Length, SnpReport.Size)]);
        var certificates = new List<SnpCertificate>();
        if (bytes.Length > SnpReport.Size)
            certificates.AddRange(SnpCertificateTable.Parse(bytes[SnpReport.Size..]));
        if (!evidence.Certificates.IsEmpty)
            certificates.AddRange(Loose(evidence.Certificates, report.SigningKey));
        return new SnpEvidence(report, certificates);
    }

    /// <summary>Certificates that lie beside a report: the leaf is known by its extensions, all others are issuers.</summary>
    public static IEnumerable<SnpCertificate> Loose(ReadOnlyMemory<byte> bundle, SnpSigningKey key)
    {
        foreach (var certificate in CertificateCache.Read(ThimCertificates.ToPem(bundle) is { IsEmpty: false } pem ? pem : bundle))
        {
            var isLeaf = SnpCertificateExtensions.IsIn(certificate);
            var kind = isLeaf ? key == SnpSigningKey.Vlek ? SnpCertificateKind.Vlek : SnpCertificateKind.Vcek : SnpCertificateKind.Ask;
            yield return new SnpCertificate(kind, certificate.Raw);
        }
    }

    private static SnpEvidence FromTsm(SnpTsmReport tsm) =>
        new(SnpReportReader.Parse(tsm.Report.Span), tsm.Certificates.IsEmpty ? [] : SnpCertificateTable.Parse(tsm.Certificates.Span));

    private static SnpEvidence ReadJson(JsonElement json)
    {
        if (SnpTsmReport.Find(json) is { } tsm)
            return FromTsm(SnpTsmReport.ReadJson(tsm));
        var bytes = SnpJsonReport.ToBytes(EvidenceJson.Require(json, "attestation_report", Structure));
        return new SnpEvidence(SnpReportReader.Parse(bytes), ReadChain(EvidenceJson.Optional(json, "cert_chain", Structure)));
    }

    private static List<SnpCertificate> ReadChain(JsonElement? chain)
    {
        var result = new List<SnpCertificate>();
        if (chain is not { } list)
            return result;
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > SnpCertificateTable.EntryLimit)
            throw new MalformedDataException(Structure, -1, $"cert_chain must be an array of at most {SnpCertificateTable.EntryLimit}");
        foreach (var entry in list.EnumerateArray())
        {
            var type = EvidenceJson.Require(entry, "cert_type", Structure);
            result.Add(new SnpCertificate(Kind(type), EvidenceJson.RequireByteArray(entry, "data", -1, Structure)));
        }

        return result;
    }

    // A GUID that is none of AMD's arrives as an object, {"OTHER": "…"}.
    private static SnpCertificateKind Kind(JsonElement type) => type.ValueKind != JsonValueKind.String
        ? SnpCertificateKind.Other
        : type.GetString()!.ToUpperInvariant() switch
        {
            "ARK" => SnpCertificateKind.Ark,
            "ASK" or "ASVK" => SnpCertificateKind.Ask,
            "VCEK" => SnpCertificateKind.Vcek,
            "VLEK" => SnpCertificateKind.Vlek,
            _ => SnpCertificateKind.Other,
        };
}
