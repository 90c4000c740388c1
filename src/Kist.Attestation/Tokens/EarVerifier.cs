using System.Security.Cryptography;
using Kist.Attestation.X509;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.Attestation.Tokens;

/// <summary>
/// Judges an attestation result that somebody else's verifier signed. Its signer is trusted if its key is a trust anchor of
/// vendor "ear", or certified below one; a key in the token's own header proves nothing by itself.
/// </summary>
internal static class EarVerifier
{
    public const string Spec = "draft-ietf-rats-ear";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    public static void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        var token = EarSignature.Parse(evidence.Json is null ? evidence.Bytes : throw new MalformedDataException("EAR", 0, "it is JSON, and unsigned"));
        var legacy = token.IsCbor ? null : LegacyToken.TryParse(token.Payload.Span);
        var result = token.IsCbor ? EarCbor.Parse(token.Payload) : legacy ?? EarJson.Parse(token.Payload.Span);
        verdict.Claims = new EarClaims(result, token.IsCbor ? default : token.Payload);
        CheckSignature(token, evidence, options, verdict);
        CheckTime(result, verdict);
        if (legacy is not null)
        {
            verdict.NotChecked("ear.status", "this token of CoCo's attestation service is of before EAR and has no status: its issue was the verdict, by the policies it names",
                "use an attestation service that issues EAR tokens", Spec);
        }

        foreach (var (name, appraisal) in result.Submods)
            CheckAppraisal(name, appraisal, verdict);
        if (binding.ReportData is not null || binding.InitDataDigest is not null)
            verdict.Fail("ear.binding", "an attestation result binds no request by itself", "nothing to bind", "a value was given",
                "compare the key and nonce in the annotated evidence with those of the request", Spec);
    }

    private static void CheckSignature(EarSignature token, Evidence evidence, VerificationOptions options, VerdictBuilder verdict)
    {
        var chain = token.HeaderChain();
        if (token.HasOddChainEncoding)
            verdict.NotChecked("ear.signature.encoding", "certificates in the header are base64url, not the base64 of RFC 7517; they are read all the same", null, "RFC 7517 section 4.7");
        if (!evidence.Certificates.IsEmpty && FindGivenKey(evidence.Certificates) is { } given)
            CheckGivenKey(token, given, options, verdict);
        else if (chain.Count > 0)
            CheckChain(token, chain, evidence, options, verdict);
        else
            CheckHeaderKey(token, options, verdict);
    }

    // A JWK, or a PEM public key, beside the token.
    private static byte[]? FindGivenKey(ReadOnlyMemory<byte> beside)
    {
        var text = beside.Span.Trim(" \r\n\t"u8);
        if (text is [(byte)'{', ..])
            return Spki(JsonWebKey.Parse(text));
        return text.IndexOf("-----BEGIN PUBLIC KEY-----"u8) >= 0 ? PemReader.ReadSingle(text, "PUBLIC KEY").ToArray() : null;
    }

    private static void CheckGivenKey(EarSignature token, byte[] spki, VerificationOptions options, VerdictBuilder verdict)
    {
        var holds = token.IsCbor ? PublicKey.Parse(spki) is { } key && token.Verify(key) : ToJwk(spki) is { } jwk && token.Verify(jwk);
        Signature(token, holds, verdict);
        Anchor(spki, options, verdict);
    }

    private static void CheckHeaderKey(EarSignature token, VerificationOptions options, VerdictBuilder verdict)
    {
        if (token.HeaderKey is not { } key)
        {
            verdict.Fail("ear.signature.anchor", "the token brings no key, and none was given", "a pinned key, or a chain to a pinned root", "none",
                "give the verifier's public key (JWK or PEM) beside the token, and pin it", Spec);
            return;
        }

        Signature(token, token.Verify(key), verdict);
        Anchor(Spki(key), options, verdict);
    }

    private static void CheckChain(EarSignature token, IReadOnlyList<Certificate> chain, Evidence evidence, VerificationOptions options, VerdictBuilder verdict)
    {
        var leaf = chain[0];
        var others = evidence.Certificates.IsEmpty ? chain : [.. chain, .. PemReader.ReadCertificates(evidence.Certificates)];
        ChainVerifier.Verify(verdict, "ear.signature", EndEntityPath.From(leaf, others), "ear", options);
        var spki = leaf.SubjectPublicKeyInfo.ToArray();
        if (token.HeaderKey is { } key)
        {
            verdict.Check("ear.signature.key", Spki(key).AsSpan().SequenceEqual(spki), "the key in the header must be that of its certificate",
                Convert.ToHexStringLower(SHA256.HashData(spki)), Convert.ToHexStringLower(SHA256.HashData(Spki(key))),
                "the header was changed: get the token again", "RFC 7517 section 4.7");
        }

        Signature(token, ToJwk(spki) is { } certified && token.Verify(certified), verdict);
    }

    private static void Signature(EarSignature token, bool holds, VerdictBuilder verdict) => verdict.Check(
        "ear.signature.value", holds, "the token must be signed with its verifier's key", $"a signature ({token.Algorithm})",
        holds ? "verifies" : "does not verify", "the token was changed, or is of another verifier: get it again", token.IsCbor ? "RFC 9052 section 4.4" : "RFC 7515 section 5.2");

    private static void Anchor(byte[] spki, VerificationOptions options, VerdictBuilder verdict)
    {
        var hash = SHA256.HashData(spki);
        var anchor = options.Anchors.Find("ear", hash);
        verdict.IsSimulated |= anchor is { IsSimulated: true };
        verdict.Check("ear.signature.anchor", anchor is not null, "the verifier's key must be pinned", "a trust anchor of vendor ear",
            anchor?.Name ?? $"key SHA-256 {Convert.ToHexStringLower(hash)}", "pin the key of the attestation service that you trust", Spec);
    }

    private static void CheckTime(EarResult result, VerdictBuilder verdict)
    {
        verdict.Check("ear.time.issued", result.IssuedAt <= verdict.At + ClockSkew, "the token must not come from the future",
            $"at most {Timestamp.Format(verdict.At)}", Timestamp.Format(result.IssuedAt), "check this machine's clock", "RFC 7519 section 4.1.6");
        if (result.Expires is not { } expires)
        {
            verdict.NotChecked("ear.time.expires", "the token does not say when it ends: its user must limit its age", null, "RFC 7519 section 4.1.4");
            return;
        }

        verdict.Check("ear.time.expires", verdict.At < expires, "the token must not have expired", $"after {Timestamp.Format(verdict.At)}",
            Timestamp.Format(expires), "attest again to get a new token, or judge as of its own time (--at)", "RFC 7519 section 4.1.4");
    }

    private static void CheckAppraisal(string name, EarAppraisal appraisal, VerdictBuilder verdict)
    {
        verdict.Check("ear.status", appraisal.Status == EarTier.Affirming, $"{name}: the verifier must affirm this part", "affirming",
            appraisal.Status.Name(), "look up in the token's vector what was not as the verifier's policy expects", $"{Spec} section 3.2");
        if (!appraisal.Vector.IsEmpty)
        {
            verdict.Check("ear.status.vector", appraisal.WorstTier <= appraisal.Status, $"{name}: the status cannot be better than the worst claim of the vector",
                appraisal.WorstTier.Name(), appraisal.Status.Name(), "the verifier contradicts itself: do not use it", "draft-ietf-rats-ar4si section 2.3");
        }
    }

    private static byte[] Spki(JsonWebKey key)
    {
        switch (key)
        {
            case EcJsonWebKey ec:
                using (var algorithm = ec.CreateECDsa())
                    return algorithm.ExportSubjectPublicKeyInfo();
            case RsaJsonWebKey rsa:
                using (var algorithm = rsa.CreateRsa())
                    return algorithm.ExportSubjectPublicKeyInfo();
            default:
                throw new MalformedDataException("JWK", -1, "it is neither EC nor RSA");
        }
    }

    private static JsonWebKey? ToJwk(byte[] spki)
    {
        try
        {
            using var ec = ECDsa.Create();
            ec.ImportSubjectPublicKeyInfo(spki, out _);
            return EcJsonWebKey.FromPublicKey(ec, null);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return ToRsaJwk(spki);
        }
    }

    private static RsaJsonWebKey? ToRsaJwk(byte[] spki)
    {
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportSubjectPublicKeyInfo(spki, out _);
            return RsaJsonWebKey.FromPublicKey(rsa, null);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
    }
}
