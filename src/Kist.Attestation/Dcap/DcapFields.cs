using System.Buffers.Binary;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>The fields of quotes, for inspection.</summary>
internal static class DcapFields
{
    public static IEnumerable<EvidenceField> Header(DcapQuote quote)
    {
        var header = quote.Header;
        yield return Number("quote.header.version", header, 0, 2);
        yield return Number("quote.header.att_key_type", header, 2, 2, "2: ECDSA with P-256");
        yield return Bytes("quote.header.tee_type", header, 4, 4, quote.IsTdx ? "TDX" : "SGX");
        yield return Number("quote.header.qe_svn", header, 8, 2);
        yield return Number("quote.header.pce_svn", header, 10, 2);
        yield return Bytes("quote.header.vendor_id", header, 12, 16,
            header.Span.Slice(12, 16).SequenceEqual(DcapQuoteReader.IntelVendorId) ? "Intel" : "unknown vendor");
        yield return Bytes("quote.header.user_data", header, 28, 20, "QE identity in the first 16 bytes");
        if (quote.Version == 5)
        {
            yield return Number("quote.type", quote.Raw, 48, 2, quote.BodyType switch { 1 => "SGX enclave report", 2 => "TD report 1.0", _ => "TD report 1.5" });
            yield return Number("quote.size", quote.Raw, 50, 4);
        }
    }

    public static IEnumerable<EvidenceField> Enclave(string path, int offset, EnclaveReport report)
    {
        var raw = report.Raw;
        yield return Bytes($"{path}.cpu_svn", raw, 0, 16, null, offset);
        yield return Bytes($"{path}.misc_select", raw, 16, 4, null, offset);
        yield return Bytes($"{path}.isv_ext_prod_id", raw, 32, 16, null, offset);
        yield return Bytes($"{path}.attributes.flags", raw, 48, 8, Flags(raw.Span[48]), offset);
        yield return Bytes($"{path}.attributes.xfrm", raw, 56, 8, "processor features in use", offset);
        yield return Bytes($"{path}.mr_enclave", raw, 64, 32, "measurement of what was loaded", offset);
        yield return Bytes($"{path}.mr_signer", raw, 128, 32, "SHA-256 of the signer's modulus", offset);
        yield return Bytes($"{path}.config_id", raw, 192, 64, "start-up configuration", offset);
        yield return Number($"{path}.isv_prod_id", raw, 256, 2, null, offset);
        yield return Number($"{path}.isv_svn", raw, 258, 2, "security version", offset);
        yield return Number($"{path}.config_svn", raw, 260, 2, null, offset);
        yield return Bytes($"{path}.isv_family_id", raw, 304, 16, null, offset);
        yield return Bytes($"{path}.report_data", raw, 320, 64, "chosen by the enclave", offset);
    }

    public static IEnumerable<EvidenceField> Signature(DcapQuote quote)
    {
        var start = quote.SignatureDataOffset;
        yield return Number("quote.signature.size", quote.Raw, start - 4, 4);
        yield return Bytes("quote.signature.signature", quote.Raw, start, 64, "over header and body, r then s");
        yield return Bytes("quote.signature.attestation_key", quote.Raw, start + 64, 64, "P-256, x then y");
        var qe = start + 128 + (quote.Version >= 4 ? 6 : 0);
        foreach (var field in Enclave("quote.signature.qe_report", qe, quote.QeReport))
            yield return field;
        yield return Bytes("quote.signature.qe_report_signature", quote.Raw, qe + EnclaveReport.Size, 64, "by the platform's PCK");
        var auth = qe + EnclaveReport.Size + 66;
        yield return Bytes("quote.signature.qe_authentication_data", quote.Raw, auth, quote.QeAuthenticationData.Length);
        yield return Number("quote.signature.certification_data.type", quote.Raw, quote.CertificationDataOffset - 6, 2, quote.CertificationDataType.ToString());
        yield return Number("quote.signature.certification_data.size", quote.Raw, quote.CertificationDataOffset - 4, 4);
        foreach (var field in Certificates(quote))
            yield return field;
        if (quote.TrailingBytes > 0)
        {
            yield return new EvidenceField(
                "quote.trailing", quote.Raw.Length - quote.TrailingBytes, quote.TrailingBytes, $"{quote.TrailingBytes} bytes", "after the quote's end: signed by nobody, ignored");
        }
    }

    private static IEnumerable<EvidenceField> Certificates(DcapQuote quote)
    {
        const string Path = "quote.signature.certification_data";
        if (quote.CertificationDataType is not (CertificationDataType.PckChain or CertificationDataType.PckLeaf))
        {
            yield return Bytes($"{Path}.data", quote.Raw, quote.CertificationDataOffset, quote.CertificationData.Length, "no certificate: it has to be looked up");
            yield break;
        }

        var certificates = PemReader.ReadCertificates(quote.CertificationData);
        for (var i = 0; i < certificates.Count; i++)
        {
            var certificate = certificates[i];
            yield return new EvidenceField(
                $"{Path}.certificate_{i}", quote.CertificationDataOffset, -1, certificate.SubjectName,
                $"issued by {certificate.IssuerName}, {Timestamp.FormatDate(certificate.NotBefore)} to {Timestamp.FormatDate(certificate.NotAfter)}");
        }

        foreach (var field in Platform(Path, quote, CertificatePath.Build(certificates).Leaf))
            yield return field;
    }

    private static IEnumerable<EvidenceField> Platform(string path, DcapQuote quote, Certificate leaf)
    {
        PckCertificate pck;
        try
        {
            pck = PckCertificate.Parse(leaf);
        }
        catch (MalformedDataException)
        {
            yield break;
        }

        var offset = quote.CertificationDataOffset;
        yield return new EvidenceField($"{path}.fmspc", offset, 6, pck.FmspcText, "family, model, stepping, platform type, SKU");
        yield return new EvidenceField($"{path}.pceid", offset, 2, Convert.ToHexStringLower(pck.PceId.Span));
        yield return new EvidenceField($"{path}.ppid", offset, 16, Convert.ToHexStringLower(pck.Ppid.Span), "names this machine");
        yield return new EvidenceField($"{path}.tcb_components", offset, 16, string.Join(",", pck.Components.ToArray()), "16 security versions");
        yield return new EvidenceField($"{path}.pcesvn", offset, -1, $"{pck.PceSvn}");
        yield return new EvidenceField($"{path}.sgx_type", offset, -1, $"{pck.SgxType}", "0 standard, 1 scalable, 2 scalable with integrity");
    }

    public static EvidenceField Bytes(string path, ReadOnlyMemory<byte> data, int offset, int length, string? meaning = null, int origin = 0) =>
        new(path, origin + offset, length, Convert.ToHexStringLower(data.Span.Slice(offset, length)), meaning);

    private static EvidenceField Number(string path, ReadOnlyMemory<byte> data, int offset, int length, string? meaning = null, int origin = 0)
    {
        var span = data.Span.Slice(offset, length);
        var value = length == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(span) : BinaryPrimitives.ReadUInt32LittleEndian(span);
        return new EvidenceField(path, origin + offset, length, $"{value}", meaning);
    }

    private static string Flags(byte first)
    {
        var names = new List<string>();
        foreach (var (bit, name) in new[] { (0x01, "INIT"), (0x02, "DEBUG"), (0x04, "MODE64BIT"), (0x10, "PROVISIONKEY"), (0x20, "EINITTOKENKEY"), (0x40, "CET"), (0x80, "KSS") })
        {
            if ((first & bit) != 0)
                names.Add(name);
        }

        return string.Join(" ", names);
    }
}
