using System.Security.Cryptography;
using Kist.Attestation.Nvidia;
using Kist.Attestation.Snp;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>Recognises single files of collateral of other vendors than Intel, by what stands in them.</summary>
public static class VendorCollateral
{
    private const string NitroNames = "aws.nitro-enclaves";

    /// <summary>
    /// What a file is: AMD's certificates and lists, Azure's JSON with a VCEK certificate, a revocation list of AWS's Nitro
    /// authorities, a reference manifest of NVIDIA. Empty if it is none of these.
    /// </summary>
    /// <returns>Under which keys it is collateral, and its bytes in the form in which verifiers take it.</returns>
    public static IReadOnlyList<KeyValuePair<CollateralKey, ReadOnlyMemory<byte>>> Read(ReadOnlyMemory<byte> file)
    {
        var found = SnpCollateral.Read(file);
        if (found.Count > 0 || file.IsEmpty)
            return found;
        if (NitroList(file) is { } list)
            return [KeyValuePair.Create(list, file)];
        return NvidiaRim.Recognises(file.Span) ? [KeyValuePair.Create(RimCheck.KeyOf(NvidiaRim.Parse(file)), file)] : [];
    }

    /// <summary>The key of the revocation list of one of AWS's authorities.</summary>
    internal static CollateralKey AwsListOf(ReadOnlySpan<byte> issuer) =>
        new(CollateralKey.AwsCrl, Convert.ToHexStringLower(SHA256.HashData(issuer)));

    private static CollateralKey? NitroList(ReadOnlyMemory<byte> file)
    {
        if (file.Length > EvidenceLimits.Crl || (file.Span[0] != DerTag.Sequence && file.Span.IndexOf("X509 CRL"u8) < 0))
            return null;
        try
        {
            var issuer = CertificateRevocationList.Parse(file).Issuer;
            return DistinguishedName.CommonName(issuer.Span).Contains(NitroNames, StringComparison.Ordinal) ? AwsListOf(issuer.Span) : null;
        }
        catch (MalformedDataException)
        {
            // Not a list.
            return null;
        }
    }
}
