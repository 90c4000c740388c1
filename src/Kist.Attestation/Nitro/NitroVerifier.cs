using System.Security.Cryptography;
using Kist.Attestation.Cose;
using Kist.Attestation.X509;

namespace Kist.Attestation.Nitro;

/// <summary>Judges a Nitro attestation document (AWS, docs/attestation_process.md section 3.2).</summary>
internal static class NitroVerifier
{
    public const string Spec = "AWS Nitro Enclaves NSM API, attestation process, section 3.2";
    private const long Es384 = -35;

    public static void Verify(ReadOnlyMemory<byte> bytes, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        var message = CoseSign1.Parse(bytes);
        var document = NitroDocumentReader.Parse(message.Payload);
        verdict.Claims = new NitroClaims(document);
        var leaf = Certificate.Parse(document.Certificate);
        Certificate[] bundle = [.. document.CaBundle.Select(c => Certificate.Parse(c))];
        CheckChain(leaf, bundle, options, verdict);
        CheckSignature(message, leaf, verdict);
        CheckTime(document, leaf, verdict);
        verdict.IsDebug = document.IsDebug;
        CheckBinding(document, binding, verdict);
    }

    private static void CheckChain(Certificate leaf, Certificate[] bundle, VerificationOptions options, VerdictBuilder verdict)
    {
        var path = EndEntityPath.From(leaf, bundle);
        ChainVerifier.Verify(verdict, "nitro.chain", path, "aws", options);
        var lists = path.Certificates.Select(c => c.Issuer).Select(issuer => options.Collateral.Find(VendorCollateral.AwsListOf(issuer.Span)))
            .OfType<ReadOnlyMemory<byte>>().Select(CertificateRevocationList.Parse).DistinctBy(l => Convert.ToHexString(l.Issuer.Span)).ToList();
        if (lists.Count > 0)
            RevocationVerifier.VerifyKnown(verdict, "nitro.chain.revocation", path, lists, options.Time);
        else
            verdict.NotChecked("nitro.chain.revocation", "AWS's revocation lists were not given; leaves live for three hours",
                "give the lists that the certificates name (CRL distribution points) with --collateral", $"{Spec}.3");
    }

    private static void CheckSignature(CoseSign1 message, Certificate leaf, VerdictBuilder verdict)
    {
        verdict.Check("nitro.document.algorithm", message.Algorithm == Es384, "the document must be signed with ES384", "ES384",
            message.AlgorithmName, "collect the document again: no enclave makes others", $"{Spec}.2");
        var holds = message.Algorithm == Es384 && leaf.Key is { } key && message.Verify(key);
        verdict.Check("nitro.document.signature", holds, "the document must be signed with the key of its certificate",
            $"a signature by {DistinguishedName.CommonName(leaf.Subject.Span)}", holds ? "verifies" : "does not verify",
            "the document was changed: collect it again", CoseSign1.Spec);
    }

    private static void CheckTime(NitroDocument document, Certificate leaf, VerdictBuilder verdict) => verdict.Check(
        "nitro.document.timestamp",
        // Certificates count in seconds, the document in milliseconds.
        document.Timestamp >= leaf.NotBefore && document.Timestamp <= leaf.NotAfter.AddSeconds(1),
        "the document must be made while its certificate was valid",
        $"{Timestamp.Format(leaf.NotBefore)} to {Timestamp.Format(leaf.NotAfter)}", Timestamp.Format(document.Timestamp),
        "the document contradicts itself: collect it again", Spec);

    private static void CheckBinding(NitroDocument document, ExpectedBinding binding, VerdictBuilder verdict)
    {
        var useNonce = binding.ReportData is { } expected && Equal(document.Nonce, expected);
        var field = useNonce ? document.Nonce : document.UserData ?? document.Nonce;
        BindingCheck.ReportData(verdict, binding.ReportData, (field ?? default).Span);
        if (binding.InitDataDigest is not null)
        {
            verdict.Fail("nitro.binding.init_data", "no field of a Nitro document binds init-data", "no announced init-data",
                "announced", "put the configuration into the enclave image, which PCR 0 to 2 measure", Spec);
        }
    }

    private static bool Equal(ReadOnlyMemory<byte>? field, ReadOnlyMemory<byte> expected) =>
        field is { } value && CryptographicOperations.FixedTimeEquals(value.Span, expected.Span);
}
