using System.Security.Cryptography;
using Kist.Attestation.Tdx;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>
/// The verification of one quote, the same for SGX and TDX: who signed it, on what platform, and what Intel says about
/// that platform. Genuineness comes before acceptability, so that the first failure is the decisive one.
/// </summary>
internal sealed class DcapVerification(DcapQuote quote, TdReport? td, Evidence evidence, VerificationOptions options, VerdictBuilder verdict)
{
    private readonly string _tee = verdict.Tee;
    private TrustAnchor? _anchor;

    /// <summary>The platform's certificate; null if there is none.</summary>
    public PckCertificate? Pck { get; private set; }

    /// <summary>The chain of the platform's certificate; null if there is none.</summary>
    public CertificatePath? PckPath { get; private set; }

    /// <summary>Collateral as read; null if none is known.</summary>
    public ParsedCollateral? Collateral { get; private set; }

    /// <summary>How the platform compares; null if that could not be found out.</summary>
    public TcbEvaluation? Tcb { get; private set; }

    /// <summary>Runs all checks.</summary>
    public void Run()
    {
        CheckQuote();
        var path = PckPath = FindPckPath();
        if (path is not null)
        {
            Pck = PckCertificate.Parse(path.Leaf);
            _anchor = ChainVerifier.Verify(verdict, $"{_tee}.pck", path, "intel", options);
            CheckRole(path.Leaf, $"{_tee}.pck.role", "SGX PCK Certificate");
            CheckQeReportSignature(path.Leaf);
            Collateral = options.Collateral.FindDcap(new DcapCollateralKey(Pck.FmspcText, Pck.Ca, quote.IsTdx ? "tdx" : "sgx"))?.Parsed;
        }

        if (Collateral is null || path is null || Pck is null)
        {
            ReportMissingCollateral();
            return;
        }

        RevocationVerifier.Verify(verdict, $"{_tee}.pck.revocation", path, Collateral.Crls, options.Time);
        new CollateralChecks(_tee, Collateral, _anchor, options, verdict).Run(quote, Pck);
        EvaluateTcb();
    }

    private void CheckQuote()
    {
        if (quote.TrailingBytes > 0)
        {
            verdict.Pass(
                $"{_tee}.quote.trailing", "bytes after the quote's stated end are signed by nobody and were ignored",
                actual: $"{quote.TrailingBytes} bytes");
        }

        verdict.Check(
            $"{_tee}.quote.vendor", quote.Header.Span.Slice(12, 16).SequenceEqual(DcapQuoteReader.IntelVendorId),
            "the quote is of Intel's quoting enclave", Convert.ToHexStringLower(DcapQuoteReader.IntelVendorId),
            Convert.ToHexStringLower(quote.Header.Span.Slice(12, 16)), "use a quote of Intel's quoting enclave",
            failure: "the quote is of another vendor's quoting enclave");
        var key = AttestationKeys.Read(quote.AttestationKey.Span);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(quote.SignedBytes.Span, hash);
        verdict.CheckSignature(
            $"{_tee}.quote.signature", key is not null && key.VerifyEcdsaHash(hash, quote.Signature.Span),
            "header and report are signed by the attestation key",
            key is null ? "the attestation key is no point of P-256" : "header and report are not what the attestation key signed",
            "the quote was changed after it was signed, or cut together from several: get a new one",
            "Intel SGX ECDSA Quote Library API, A.4");
        SHA256.HashData([.. quote.AttestationKey.Span, .. quote.QeAuthenticationData.Span], hash);
        var bound = quote.QeReport.ReportData.Span;
        verdict.Check(
            $"{_tee}.qe.binding", bound[..32].SequenceEqual(hash) && !bound[32..].ContainsAnyExcept((byte)0),
            "the quoting enclave's report binds the attestation key",
            Convert.ToHexStringLower(hash), Convert.ToHexStringLower(bound[..32]),
            "the quote was cut together from several: get a new one",
            "Intel SGX ECDSA Quote Library API, A.4",
            "the quoting enclave's report does not bind this attestation key");
    }

    private void CheckQeReportSignature(Certificate leaf)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(quote.QeReport.Raw.Span, hash);
        verdict.CheckSignature(
            $"{_tee}.qe.signature", leaf.Key is { IsEc: true, Size: 32 } key && key.VerifyEcdsaHash(hash, quote.QeReportSignature.Span),
            "the quoting enclave's report is signed by the platform's PCK",
            "the quoting enclave's report is not what the platform's PCK signed",
            "the certificate chain belongs to another platform or TCB level, or the quote was changed: get a new quote",
            "Intel SGX ECDSA Quote Library API, A.4");
    }

    private void CheckRole(Certificate leaf, string id, string phrase)
    {
        var name = DistinguishedName.CommonName(leaf.Subject.Span);
        verdict.Check(
            id, !leaf.IsCa && name.Contains(phrase, StringComparison.Ordinal), "the certificate is of the right kind",
            $"an end-entity certificate named \"{phrase}\"", $"{name}{(leaf.IsCa ? ", an authority" : "")}",
            "get the certificate chain again from the platform", "Intel SGX PCK Certificate and CRL Profile, §1.3",
            "the certificate is of another kind than its use asks for");
    }

    /// <summary>
    /// The chain of the platform's certificate: from the quote, from beside the evidence, or from the collateral by the
    /// platform's identity. Null, with a failure, if there is none.
    /// </summary>
    private CertificatePath? FindPckPath()
    {
        var certificates = new List<Certificate>();
        if (quote.CertificationDataType is CertificationDataType.PckChain or CertificationDataType.PckLeaf)
            certificates.AddRange(CertificateCache.Read(quote.CertificationData));
        if (quote.CertificationDataType == CertificationDataType.PckLeaf && certificates.Count != 1)
            throw new MalformedDataException("quote certification data", quote.CertificationDataOffset, $"type 4 is one certificate, not {certificates.Count}");
        if (quote.CertificationDataType is not CertificationDataType.PckChain)
        {
            var beside = evidence.Certificates.IsEmpty
                ? options.Collateral.Find(new CollateralKey(CollateralKey.IntelPckChain, PckName())) ?? default
                : evidence.Certificates;
            if (!beside.IsEmpty)
                certificates.AddRange(CertificateCache.Read(beside));
        }

        if (certificates.Count > 0)
            return CertificatePath.Build(certificates);
        verdict.Fail(
            $"{_tee}.pck.chain",
            $"the quote carries certification data of type {(int)quote.CertificationDataType} ({quote.CertificationDataType}) and not its PCK certificate, which was not found elsewhere",
            "certification data of type 5, or the PCK certificate chain beside the quote",
            $"type {(int)quote.CertificationDataType}",
            $"fetch the PCK certificate of this platform from Intel or its cloud's cache (QE identity {Convert.ToHexStringLower(quote.QeId.Span)}) and give it with the evidence",
            "Intel SGX ECDSA Quote Library API, A.4 \"QE Certification Data\"");
        return null;
    }

    /// <summary>How Intel names a PCK certificate: QE identity, and the raw CPUSVN, PCESVN and PCEID where the quote has them.</summary>
    private string PckName()
    {
        var raw = quote.CertificationDataType is CertificationDataType.PpidClear or CertificationDataType.PpidRsa2048 or CertificationDataType.PpidRsa3072
            && quote.CertificationData.Length >= 20
            ? $"/{Convert.ToHexStringLower(quote.CertificationData.Span[^20..])}"
            : "";
        return Convert.ToHexStringLower(quote.QeId.Span) + raw;
    }

    private void ReportMissingCollateral()
    {
        if (Pck is { } pck)
        {
            verdict.Fail(
                $"{_tee}.collateral.present", "without Intel's collateral it is unknown whether the platform was revoked or is up to date",
                $"TCB info, QE identity and CRLs for FMSPC {pck.FmspcText}, {pck.Ca} CA", "none",
                $"fetch the {(quote.IsTdx ? "tdx" : "sgx")} collateral for FMSPC {pck.FmspcText} from Intel's provisioning service or a cache of it (--collateral)",
                "Intel PCS API v4");
        }

        verdict.NotChecked($"{_tee}.pck.revocation", "there is no CRL");
        verdict.NotChecked($"{_tee}.qe.identity", "there is no QE identity");
        verdict.NotChecked($"{_tee}.tcb.status", "there is no TCB info");
    }

    private void EvaluateTcb()
    {
        var identity = Collateral!.QeIdentity.Value;
        if (Collateral.TcbInfo.Value is not { } info || (td is not null && info.Id != "TDX"))
        {
            verdict.NotChecked($"{_tee}.tcb.status", "there is no usable TCB info");
            return;
        }

        Tcb = TcbEvaluation.Evaluate(info, identity, Pck!, quote, td);
        new TcbChecks(_tee, info, Tcb, options, verdict).Run(quote, Pck!, td);
    }
}
