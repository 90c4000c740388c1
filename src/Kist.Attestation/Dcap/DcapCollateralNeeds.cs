using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>What SGX and TDX evidence needs of Intel, for whoever fetches it.</summary>
public static class DcapCollateralNeeds
{
    /// <summary>
    /// The collateral of the platform that made a quote. Null for evidence of other TEEs, and for a quote that carries no PCK
    /// certificate, so that it does not say of what kind its platform is.
    /// </summary>
    /// <exception cref="MalformedDataException">The evidence does not follow its format.</exception>
    public static DcapCollateralKey? KeyOf(Evidence evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        if (QuoteOf(evidence) is not { } quote)
            return null;
        var certificates = new List<Certificate>();
        if (quote.CertificationDataType is CertificationDataType.PckChain or CertificationDataType.PckLeaf)
            certificates.AddRange(PemReader.ReadCertificates(quote.CertificationData));
        else if (!evidence.Certificates.IsEmpty)
            certificates.AddRange(PemReader.ReadCertificates(evidence.Certificates));
        if (certificates.Count == 0)
            return null;
        var pck = PckCertificate.Parse(CertificatePath.Build(certificates).Leaf);
        return new DcapCollateralKey(pck.FmspcText, pck.Ca, quote.IsTdx ? "tdx" : "sgx");
    }

    private static DcapQuote? QuoteOf(Evidence evidence) => evidence.Tee switch
    {
        "sgx" => DcapEvidence.ReadQuote(evidence, tdx: false),
        "tdx" => DcapEvidence.ReadQuote(evidence, tdx: true),
        "az-tdx-vtpm" when evidence.Json is null => null,
        "az-tdx-vtpm" => DcapQuoteReader.Read(AzureVtpm.AzureEvidence.Read(evidence, tdx: true).Endorsement),
        _ => null,
    };
}
