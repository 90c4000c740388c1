using System.Security.Cryptography;

namespace Kist.Attestation.X509;

/// <summary>The fields of certificates and CRLs, for inspection.</summary>
internal static class CertificateFields
{
    public static IEnumerable<EvidenceField> List(Certificate certificate, string path)
    {
        yield return Text($"{path}.subject", certificate.SubjectName);
        yield return Text($"{path}.issuer", certificate.IssuerName);
        yield return Text($"{path}.serial", Convert.ToHexStringLower(certificate.SerialNumber.Span));
        yield return Text($"{path}.not_before", Timestamp.Format(certificate.NotBefore));
        yield return Text($"{path}.not_after", Timestamp.Format(certificate.NotAfter));
        yield return Text($"{path}.spki_sha256", Convert.ToHexStringLower(SHA256.HashData(certificate.SubjectPublicKeyInfo.Span)), "what trust anchors pin");
        yield return Text($"{path}.key", certificate.Key switch
        {
            { IsEc: true } key => $"EC, {key.Size * 8} bits",
            { } key => $"RSA, {key.Size * 8} bits",
            null => "unsupported or invalid",
        });
        yield return Text($"{path}.signature_algorithm", certificate.Scheme.ToString());
        yield return Text($"{path}.authority", certificate.IsCa ? $"yes, path length {certificate.PathLength?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "unlimited"}" : "no");
        foreach (var extension in certificate.Extensions)
        {
            yield return new EvidenceField(
                $"{path}.extension.{ObjectId.Format(extension.Id.Span)}", extension.Offset, extension.Value.Length,
                Convert.ToHexStringLower(extension.Value.Span), extension.IsCritical ? "critical" : null);
        }
    }

    public static IEnumerable<EvidenceField> List(CertificateRevocationList crl, string path)
    {
        yield return Text($"{path}.issuer", crl.IssuerName);
        yield return Text($"{path}.this_update", Timestamp.Format(crl.ThisUpdate));
        yield return Text($"{path}.next_update", crl.NextUpdate is { } next ? Timestamp.Format(next) : "(none)");
        yield return Text($"{path}.number", crl.Number?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "(none)");
        yield return Text($"{path}.revoked", crl.Count.ToString(System.Globalization.CultureInfo.InvariantCulture), "certificates on the list");
    }

    private static EvidenceField Text(string path, string value, string? meaning = null) => new(path, -1, -1, value, meaning);
}
