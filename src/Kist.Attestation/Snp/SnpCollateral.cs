using Kist.Formats;

namespace Kist.Attestation.Snp;

/// <summary>What SNP evidence needs of AMD, by name, for whoever fetches it.</summary>
public static class SnpCollateral
{
    /// <summary>
    /// The keys of collateral that the evidence does not bring: its VCEK certificate, and the revocation list of its product. A
    /// report of version 2 does not say its product: then the certificate is to be had under one of several keys. Empty for evidence of other TEEs, and for a product that is not known. AMD's intermediate and root certificates come with this library.
    /// </summary>
    /// <exception cref="MalformedDataException">The evidence does not follow its format.</exception>
    public static IReadOnlyList<CollateralKey> KeysFor(Evidence evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        if (evidence.Tee is not ("snp" or "az-snp-vtpm"))
            return [];
        var (report, certificates) = Read(evidence);
        var keys = new List<CollateralKey>();
        var leaf = certificates.FirstOrDefault(c => c.Kind is SnpCertificateKind.Vcek or SnpCertificateKind.Vlek);
        var product = report.Product != SnpProduct.Unknown || leaf is null
            ? report.Product : SnpCertificateExtensions.Read(X509.PemReader.ReadCertificates(leaf.Data)[0]).Product;
        if (leaf is null && report.SigningKey == SnpSigningKey.Vcek)
            keys.AddRange(SnpKdsName.VcekCandidates(report).Select(name => new CollateralKey(CollateralKey.AmdVcek, name)));
        SnpProduct[] products = product != SnpProduct.Unknown ? [product] : report.Version < 3 ? [SnpProduct.Milan, SnpProduct.Genoa] : [];
        keys.AddRange(products.Select(p => new CollateralKey(CollateralKey.AmdCrl, SnpEndorsements.Name(p, report.SigningKey))));
        return keys;
    }

    /// <summary>
    /// What a file of AMD's is, by what stands in it: a VCEK certificate, an intermediate with its root, or a revocation list
    /// (which AMD's root signs for VCEKs and VLEKs alike); Azure's JSON with a VCEK certificate too. Empty if it is none of these.
    /// </summary>
    /// <returns>Under which keys it is collateral, and its certificates or list as PEM or DER.</returns>
    public static IReadOnlyList<KeyValuePair<CollateralKey, ReadOnlyMemory<byte>>> Read(ReadOnlyMemory<byte> file)
    {
        var data = ThimCertificates.ToPem(file) is { IsEmpty: false } pem ? pem : file;
        return [.. KeysOf(data).Select(k => KeyValuePair.Create(k, data))];
    }

    private static IReadOnlyList<CollateralKey> KeysOf(ReadOnlyMemory<byte> file)
    {
        if (file.Length is 0 or > EvidenceLimits.Crl || (file.Span[0] != X509.DerTag.Sequence && !X509.PemReader.IsPem(file.Span)))
            return [];
        try
        {
            return X509.PemReader.IsPem(file.Span) && file.Span.IndexOf("X509 CRL"u8) >= 0 ? ListKeys(file) : CertificateKeys(X509.PemReader.ReadCertificates(file));
        }
        catch (MalformedDataException)
        {
            return X509.PemReader.IsPem(file.Span) ? [] : TryListKeys(file);
        }
    }

    private static IReadOnlyList<CollateralKey> CertificateKeys(List<X509.Certificate> certificates)
    {
        if (certificates is [var leaf, ..] && SnpCertificateExtensions.IsIn(leaf))
            return SnpKdsName.Vcek(SnpCertificateExtensions.Read(leaf)) is { } name ? [new CollateralKey(CollateralKey.AmdVcek, name)] : [];
        if (certificates.Count != 2)
            return [];
        var intermediate = X509.DistinguishedName.CommonName(certificates[0].Subject.Span);
        var product = SnpProducts.FromName(intermediate[(intermediate.LastIndexOf('-') + 1)..]);
        var kind = intermediate.StartsWith("SEV-VLEK-", StringComparison.Ordinal) ? "vlek" : "vcek";
        return product == SnpProduct.Unknown ? [] : [new CollateralKey(CollateralKey.AmdChain, $"{product}/{kind}")];
    }

    private static IReadOnlyList<CollateralKey> TryListKeys(ReadOnlyMemory<byte> file)
    {
        try
        {
            return ListKeys(file);
        }
        catch (MalformedDataException)
        {
            return [];
        }
    }

    private static IReadOnlyList<CollateralKey> ListKeys(ReadOnlyMemory<byte> file)
    {
        var issuer = X509.DistinguishedName.CommonName(X509.CertificateRevocationList.Parse(file).Issuer.Span);
        var product = issuer.StartsWith("ARK-", StringComparison.Ordinal) ? SnpProducts.FromName(issuer[4..]) : SnpProduct.Unknown;
        return product == SnpProduct.Unknown ? [] : [new CollateralKey(CollateralKey.AmdCrl, $"{product}/vcek"), new CollateralKey(CollateralKey.AmdCrl, $"{product}/vlek")];
    }

    private static SnpEvidence Read(Evidence evidence)
    {
        if (evidence.Tee == "snp")
            return SnpEvidence.Read(evidence);
        if (evidence.Json is null && !evidence.Bytes.IsEmpty)
            return new SnpEvidence(SnpReportReader.Parse(AzureVtpm.HclReport.Parse(evidence.Bytes.Span).HardwareReport.Span), []);
        var azure = AzureVtpm.AzureEvidence.Read(evidence, tdx: false);
        var report = SnpReportReader.Parse(azure.Hcl.HardwareReport.Span);
        return new SnpEvidence(report, azure.Endorsement.IsEmpty ? [] : [.. SnpEvidence.Loose(azure.Endorsement, report.SigningKey)]);
    }
}
