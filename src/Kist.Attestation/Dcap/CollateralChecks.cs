using Kist.Attestation.X509;

namespace Kist.Attestation.Dcap;

/// <summary>Checks that collateral is Intel's, in force, and about this kind of platform.</summary>
internal sealed class CollateralChecks(
    string tee, ParsedCollateral collateral, TrustAnchor? pckAnchor, VerificationOptions options, VerdictBuilder verdict)
{
    private const string Spec = "Intel PCS API v4";
    private const string Fetch = "fetch the collateral again from Intel's provisioning service or a cache of it";

    public void Run(DcapQuote quote, PckCertificate pck)
    {
        var prefix = $"{tee}.collateral";
        var signer = CheckSigner($"{prefix}.{(collateral.HasOneSigner ? "signer" : "tcb_info.signer")}", collateral.TcbInfoChain);
        CheckTcbInfo($"{prefix}.tcb_info", signer, pck, quote.IsTdx);
        if (!collateral.HasOneSigner)
            signer = CheckSigner($"{prefix}.qe_identity.signer", collateral.QeIdentityChain);
        CheckQeIdentity($"{prefix}.qe_identity", signer, quote.IsTdx);
        CheckQuotingEnclave(quote);
    }

    /// <summary>Checks a signer's chain, and gives the signer if all is well.</summary>
    private Certificate? CheckSigner(string prefix, Parsed<CertificatePath> chain)
    {
        if (chain.Value is not { } path)
        {
            verdict.Fail(
                $"{prefix}.format", $"the signer's certificate chain cannot be read: {chain.Error!.Message}", "a PEM chain", null, Fetch, Spec);
            return null;
        }

        var anchor = ChainVerifier.Verify(verdict, prefix, path, "intel", options);
        var name = DistinguishedName.CommonName(path.Leaf.Subject.Span);
        var role = verdict.Check(
            $"{prefix}.role",
            !path.Leaf.IsCa && path.Certificates.Count == 2 && name.Contains("SGX TCB Signing", StringComparison.Ordinal),
            "the signer is the one that the root appointed for TCB statements",
            "an end-entity certificate named \"SGX TCB Signing\", issued by the root itself",
            $"{name}, {path.Certificates.Count} certificates", Fetch, "Intel SGX PCK Certificate and CRL Profile, §1.3",
            "the signer is not the one that the root appointed for TCB statements");
        var revoked = !RevocationVerifier.Verify(verdict, $"{prefix}.revocation", path, collateral.Crls, options.Time);
        var same = pckAnchor is null || anchor is null || verdict.Check(
            $"{prefix}.same_root", anchor == pckAnchor, "platform and collateral end at the same root",
            pckAnchor.Name, anchor.Name, "use the collateral that belongs to this platform",
            failure: "platform and collateral end at different roots");
        return anchor is not null && role && !revoked && same ? path.Leaf : null;
    }

    private void CheckTcbInfo(string prefix, Certificate? signer, PckCertificate pck, bool isTdx)
    {
        if (collateral.TcbInfo.Value is not { } info)
        {
            verdict.Fail($"{prefix}.format", $"the TCB info cannot be read: {collateral.TcbInfo.Error!.Message}", "TCB info, version 2 or 3", null, Fetch, Spec);
            return;
        }

        CheckSignature($"{prefix}.signature", "TCB info", info.Document, signer);
        CheckValidity($"{prefix}.validity", "TCB info", info.IssueDate, info.NextUpdate);
        var id = isTdx ? "TDX" : "SGX";
        var wanted = $"{id}, version {(isTdx ? "3" : "2 or 3")}, FMSPC {pck.FmspcText}, PCEID {Convert.ToHexStringLower(pck.PceId.Span)}";
        verdict.Check(
            $"{prefix}.platform",
            info.Id == id && info.Version >= (isTdx ? 3 : 2) && pck.Fmspc.Span.SequenceEqual(info.Fmspc) && pck.PceId.Span.SequenceEqual(info.PceId),
            "the TCB info is about this kind of platform", wanted,
            $"{info.Id}, version {info.Version}, FMSPC {Convert.ToHexStringLower(info.Fmspc)}, PCEID {Convert.ToHexStringLower(info.PceId ?? [])}",
            "use the TCB info of this platform's FMSPC", Spec, "the TCB info is about another kind of platform");
        verdict.Check(
            $"{tee}.tcb.evaluation_number", info.EvaluationDataNumber >= options.Tcb.MinimumEvaluationDataNumber,
            "Intel's evaluation is as new as the policy asks", $"at least {options.Tcb.MinimumEvaluationDataNumber}",
            $"{info.EvaluationDataNumber}", "fetch newer TCB info (update=early gives the newest)", Spec,
            "Intel's evaluation is older than the policy asks");
    }

    private void CheckQeIdentity(string prefix, Certificate? signer, bool isTdx)
    {
        if (collateral.QeIdentity.Value is not { } identity)
        {
            verdict.Fail($"{prefix}.format", $"the QE identity cannot be read: {collateral.QeIdentity.Error!.Message}", "an enclave identity, version 2", null, Fetch, Spec);
            return;
        }

        CheckSignature($"{prefix}.signature", "QE identity", identity.Document, signer);
        CheckValidity($"{prefix}.validity", "QE identity", identity.IssueDate, identity.NextUpdate);
        var id = isTdx ? "TD_QE" : "QE";
        verdict.Check(
            $"{prefix}.enclave", identity.Id == id && identity.Version >= 2, "the identity is that of this TEE's quoting enclave",
            $"{id}, version 2", $"{identity.Id}, version {identity.Version}",
            "use the QE identity of this TEE: SGX and TDX have different ones", Spec, "the identity is that of another enclave");
        verdict.Check(
            $"{prefix}.evaluation_number", identity.EvaluationDataNumber >= options.Tcb.MinimumEvaluationDataNumber,
            "Intel's evaluation is as new as the policy asks", $"at least {options.Tcb.MinimumEvaluationDataNumber}",
            $"{identity.EvaluationDataNumber}", "fetch a newer QE identity (update=early gives the newest)", Spec,
            "Intel's evaluation is older than the policy asks");
    }

    private void CheckQuotingEnclave(DcapQuote quote)
    {
        if (collateral.QeIdentity.Value is not { } identity)
        {
            verdict.NotChecked($"{tee}.qe.identity", "there is no usable QE identity");
            return;
        }

        var difference = identity.FirstDifference(quote.QeReport);
        verdict.Check(
            $"{tee}.qe.identity", difference is null, "the quote was made by Intel's quoting enclave",
            difference is var (field, expected, _) ? $"{field} {expected}" : $"MRSIGNER {Convert.ToHexStringLower(identity.MrSigner)}, ISVPRODID {identity.IsvProdId}",
            difference is var (_, _, actual) ? actual : null,
            "the report that vouches for the attestation key is of another enclave: a forgery, or the QE identity of another TEE", Spec,
            "the quote was not made by the enclave that Intel names");
    }

    private void CheckSignature(string id, string what, SignedJson document, Certificate? signer)
    {
        if (signer is null)
        {
            verdict.NotChecked(id, $"the signer of the {what} is not trusted");
            return;
        }

        verdict.CheckSignature(
            id, document.IsSignedBy(signer), $"the {what} is signed by Intel, over its text as received",
            $"the {what} is not what Intel signed", Fetch + ", and keep its text byte for byte", Spec);
    }

    private void CheckValidity(string id, string what, DateTimeOffset issued, DateTimeOffset next) => verdict.Check(
        id, issued <= options.Time && options.Time <= next,
        options.Time < issued ? $"the {what} was not issued yet" : options.Time > next ? $"the {what} had expired" : $"the {what} is in force",
        $"in force at {Timestamp.Format(options.Time)}", $"{Timestamp.Format(issued)} to {Timestamp.Format(next)}",
        options.Time < issued ? "judge as of a time at which it is in force (--at), or give the collateral of that time"
            : $"{Fetch}, or judge old evidence as of its own time (--at)", Spec);
}
