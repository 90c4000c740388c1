using Kist.Formats;

namespace Kist.Attestation.Snp;

/// <summary>What SNP evidence needs of AMD, by name, for whoever fetches it.</summary>
public static class SnpCollateral
{
    /// <summary>
    /// The keys of collateral that the evidence does not bring: its VCEK certificate, and the revocation list of its product.
    /// Empty for evidence of other TEEs, and for a product that is not known. AMD's intermediate and root certificates come with this library.
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
        if (leaf is null && report.SigningKey == SnpSigningKey.Vcek && SnpKdsName.Vcek(report, product) is { } name)
            keys.Add(new CollateralKey(CollateralKey.AmdVcek, name));
        if (product != SnpProduct.Unknown)
            keys.Add(new CollateralKey(CollateralKey.AmdCrl, SnpEndorsements.Name(product, report.SigningKey)));
        return keys;
    }

    private static SnpEvidence Read(Evidence evidence)
    {
        if (evidence.Tee == "snp")
            return SnpEvidence.Read(evidence);
        var azure = AzureVtpm.AzureEvidence.Read(evidence, tdx: false);
        var report = SnpReportReader.Parse(azure.Hcl.HardwareReport.Span);
        return new SnpEvidence(report, azure.Endorsement.IsEmpty ? [] : [.. SnpEvidence.Loose(azure.Endorsement, report.SigningKey)]);
    }
}
