using System.Security.Cryptography;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Snp;

/// <summary>
/// Judges an SNP report: that AMD's hardware signed it, with a key of AMD's for the very chip and firmware that the report
/// names, and that it is of a kind that is acceptable. Binding to a request is judged by whoever knows the request.
/// </summary>
internal static class SnpVerifier
{
    public const string Abi = "AMD 56860 (SNP firmware ABI) section 7.3, table 23";
    private const string Kds = "AMD 57230 (VCEK certificate and KDS) section 3.1";
    private const uint LastKnownVersion = 5;
    private const uint EcdsaP384Sha384 = 1;

    /// <summary>Runs every check but that of the binding, and leaves the claims in the verdict.</summary>
    /// <returns>The product line that was found.</returns>
    public static SnpProduct Verify(SnpEvidence evidence, VerificationOptions options, VerdictBuilder verdict)
    {
        var report = evidence.Report;
        CheckForm(report, verdict);
        var product = report.Product;
        var leaf = FindLeaf(evidence, options, verdict);
        SnpCertificateExtensions? extensions = null;
        if (leaf is not null)
        {
            extensions = SnpCertificateExtensions.Read(leaf);
            if (product == SnpProduct.Unknown && report.Version < 3)
                product = extensions.Product;
            CheckChain(leaf, evidence, product, report.SigningKey, options, verdict);
            CheckSignature(report, leaf, verdict);
            CheckEndorsement(report, product, extensions, verdict);
        }

        verdict.Claims = new SnpClaims(report, product);
        verdict.IsDebug |= report.Policy.IsDebugAllowed;
        SnpPolicyCheck.Run(new SnpClaims(report, product), extensions, options, verdict);
        return product;
    }

    private static void CheckForm(SnpReport report, VerdictBuilder verdict)
    {
        verdict.Check("snp.report.version", report.Version <= LastKnownVersion,
            "the report must be of a version whose every field is known here", "2 to 5", $"{report.Version}",
            "use a newer kist, or firmware that writes a report of a known version", Abi);
        verdict.Check("snp.report.algorithm", report.SignatureAlgorithm == EcdsaP384Sha384,
            "the report must be signed with the only algorithm that AMD defines", "1 (ECDSA P-384 with SHA-384)",
            $"{report.SignatureAlgorithm}", "collect the evidence again: the report is damaged", "AMD 56860 chapter 10, table 139");
        verdict.Check("snp.report.signing_key",
            report.SigningKey is SnpSigningKey.Vcek or SnpSigningKey.Vlek && !report.IsChipKeyMasked,
            "the report must be signed with the chip's or the provider's key", "VCEK or VLEK",
            report.IsChipKeyMasked ? "none: MASK_CHIP_KEY is set" : report.SigningKey.ToString().ToUpperInvariant(),
            "the host has switched signing off (MASK_CHIP_KEY) or has no key loaded: ask its operator", Abi);
        verdict.Check("snp.report.policy", report.Policy.IsWellFormed,
            "bit 17 of the guest policy must be one and bits 63:26 zero", "reserved bits as specified", report.Policy.ToString(),
            "use a newer kist if the firmware defines more bits", "AMD 56860 section 4.3, table 9");
    }

    private static Certificate? FindLeaf(
        SnpEvidence evidence, VerificationOptions options, VerdictBuilder verdict)
    {
        var kind = evidence.Report.SigningKey == SnpSigningKey.Vlek ? SnpCertificateKind.Vlek : SnpCertificateKind.Vcek;
        var name = kind.ToString().ToUpperInvariant();
        if (evidence.Certificates.FirstOrDefault(c => c.Kind == kind) is { } given)
        {
            verdict.Pass("snp.certificate", $"the evidence brings its {name} certificate", spec: Kds);
            return First(given.Data);
        }

        IReadOnlyList<string> keys = kind == SnpCertificateKind.Vcek ? [.. SnpKdsName.VcekCandidates(evidence.Report)] : [];
        foreach (var key in keys)
        {
            if (options.Collateral.Find(new CollateralKey(CollateralKey.AmdVcek, key)) is not { } found)
                continue;
            verdict.Pass("snp.certificate", "the VCEK certificate is in the collateral", null, key, Kds);
            return First(found);
        }

        verdict.Fail("snp.certificate", $"there is no {name} certificate to verify the report with", $"a {name} certificate",
            keys.Count == 0 ? "none in the evidence" : $"none in the evidence, nor in the collateral under {string.Join(" or ", keys)}",
            kind == SnpCertificateKind.Vlek
                ? "ask the cloud's guest to send the certificate table with its report: AMD's server does not serve VLEKs"
                : "give the certificate beside the report (--certificates), or fetch it from AMD's key server (--fetch)", Kds);
        return null;
    }

    private static Certificate First(ReadOnlyMemory<byte> bundle) => CertificateCache.Read(bundle)[0];

    private static void CheckChain(
        Certificate leaf, SnpEvidence evidence, SnpProduct product, SnpSigningKey key, VerificationOptions options,
        VerdictBuilder verdict)
    {
        var name = SnpEndorsements.Name(product, key);
        var others = new List<Certificate>();
        foreach (var certificate in evidence.Certificates)
        {
            if (certificate.Kind is SnpCertificateKind.Ask or SnpCertificateKind.Ark)
                others.AddRange(CertificateCache.Read(certificate.Data));
        }

        if (options.Collateral.Find(new CollateralKey(CollateralKey.AmdChain, name)) is { } stored)
            others.AddRange(CertificateCache.Read(stored));
        others.AddRange(SnpEndorsements.Chain(name));
        var path = EndEntityPath.From(leaf, others);
        ChainVerifier.Verify(verdict, "snp.chain", path, "amd", options);
        CheckAlgorithms(path, verdict);
        CheckRevocation(path, options, options.Collateral.Find(new CollateralKey(CollateralKey.AmdCrl, name)), verdict);
    }

    private static void CheckAlgorithms(CertificatePath path, VerdictBuilder verdict)
    {
        var other = path.Certificates.FirstOrDefault(c => c.Scheme is not SignatureScheme.RsaPssSha384);
        verdict.Check("snp.chain.algorithm", other is null, "AMD signs its certificates with RSASSA-PSS and SHA-384",
            "RsaPssSha384", (other?.Scheme ?? SignatureScheme.RsaPssSha384).ToString(),
            "the chain is not AMD's: collect the evidence again", Kds);
    }

    private static void CheckRevocation(
        CertificatePath path, VerificationOptions options, ReadOnlyMemory<byte>? crl, VerdictBuilder verdict)
    {
        if (crl is not { } bytes)
        {
            verdict.NotChecked("snp.chain.revocation", "AMD's revocation list is not in the collateral",
                "fetch it from AMD's key server (/vcek/v1/PRODUCT/crl), or give a collateral directory", "AMD 57230 section 4.3");
            return;
        }

        // AMD's root lists intermediates. Nobody lists leaves: a chip's key ends with the TCB that it was derived from.
        var authorities = path with { Certificates = [.. path.Certificates.Skip(1)] };
        RevocationVerifier.Verify(verdict, "snp.chain.revocation", authorities, [CertificateRevocationList.Parse(bytes)], options.Time);
    }

    private static void CheckSignature(SnpReport report, Certificate leaf, VerdictBuilder verdict)
    {
        var rs = new byte[96];
        ReverseCopy(report.Signature.Span[..48], rs.AsSpan(0, 48));
        ReverseCopy(report.Signature.Span.Slice(72, 48), rs.AsSpan(48, 48));
        Span<byte> hash = stackalloc byte[SHA384.HashSizeInBytes];
        SHA384.HashData(report.SignedBytes.Span, hash);
        var holds = leaf.Key is { } key && key.VerifyEcdsaHash(hash, rs);
        verdict.Check("snp.report.signature", holds, "the report must be signed with the key of its certificate",
            $"signature by {DistinguishedName.CommonName(leaf.Subject.Span)}", holds ? "verifies" : "does not verify",
            "the report was changed, or the certificate is of another chip or firmware level: collect both again",
            "AMD 56860 chapter 10, table 141");
    }

    private static void ReverseCopy(ReadOnlySpan<byte> littleEndian, Span<byte> bigEndian)
    {
        littleEndian.CopyTo(bigEndian);
        bigEndian.Reverse();
    }

    private static void CheckEndorsement(
        SnpReport report, SnpProduct product, SnpCertificateExtensions extensions, VerdictBuilder verdict)
    {
        verdict.Check("snp.product", product != SnpProduct.Unknown && product == extensions.Product,
            "the certificate must be for the product line that the report's CPUID names",
            product == SnpProduct.Unknown ? "Milan, Genoa or Turin" : product.ToString(),
            report.Version < 3
                ? extensions.ProductName
                : $"{extensions.ProductName}; family {report.CpuidFamily:x2}h model {report.CpuidModel:x2}h",
            "use the certificate of this chip, or a kist that knows the product", Kds);
        var reported = report.ReportedTcb(product);
        verdict.Check("snp.tcb.certificate", reported == extensions.Tcb,
            "the key must be derived from the very firmware that the report names", $"{extensions.Tcb}", $"{reported}",
            "fetch the certificate for the TCB that the report names", "AMD 57230 section 3.1, table 8");
        CheckChip(report, product, extensions, verdict);
    }

    private static void CheckChip(
        SnpReport report, SnpProduct product, SnpCertificateExtensions extensions, VerdictBuilder verdict)
    {
        const string id = "snp.chip";
        if (report.SigningKey == SnpSigningKey.Vlek)
        {
            verdict.Check(id, extensions.CloudProviderId is not null && extensions.HardwareId is null,
                "a VLEK is a provider's and not a chip's: it names a provider and no chip", "a cspID and no hwID",
                extensions.CloudProviderId ?? "no cspID", "use the certificate that belongs to the report", Kds);
            return;
        }

        var chip = report.ChipId.Span;
        if (extensions.HardwareId is { } hardware && chip.IndexOfAnyExcept((byte)0) < 0)
        {
            verdict.NotChecked(id, $"the host masks CHIP_ID; by its key the chip is {Convert.ToHexStringLower(hardware.Span)}",
                null, "AMD 56860 section 8.6 (MASK_CHIP_ID)");
            return;
        }

        var matches = extensions.HardwareId is { } own && own.Length == product.HardwareIdSize()
            && chip.StartsWith(own.Span) && chip[own.Length..].IndexOfAnyExcept((byte)0) < 0;
        verdict.Check(id, matches, "the certificate must be that of the chip that the report names",
            extensions.HardwareId is { } known ? Convert.ToHexStringLower(known.Span) : "an hwID in the certificate",
            Convert.ToHexStringLower(chip), "fetch the certificate of this chip", Kds);
    }
}
