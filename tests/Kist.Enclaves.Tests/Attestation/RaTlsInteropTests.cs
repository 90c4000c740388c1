using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;
using Kist.Attestation.RaTls;
using Kist.Enclaves.Attestation;
using Microsoft.Extensions.Time.Testing;

namespace Kist.Enclaves.Tests.Attestation;

/// <summary>Certificates of others read here, and certificates of ours read by programs that share no code with Kist.</summary>
public sealed class RaTlsInteropTests
{
    /// <summary>Reads one certificate by Debian's python3-cryptography and python3-cbor2, and checks all that binds quote and key.</summary>
    private const string Reader = """
        import sys, hashlib, cbor2
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, utils
        cert = x509.load_der_x509_certificate(sys.stdin.buffer.read())
        ext = {e.oid.dotted_string: e.value.value for e in cert.extensions if isinstance(e.value, x509.UnrecognizedExtension)}
        evidence = cbor2.loads(ext["2.23.133.5.4.9"])
        assert evidence.tag == 60000
        quote, buffer = evidence.value
        claims = cbor2.loads(buffer)
        spki = cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        assert cbor2.loads(claims["pubkey-hash"]) == [1, hashlib.sha256(spki).digest()]
        assert quote[368:432] == hashlib.sha256(buffer).digest() + bytes(32)
        def der(rs): return utils.encode_dss_signature(int.from_bytes(rs[:32], "big"), int.from_bytes(rs[32:], "big"))
        key = ec.EllipticCurvePublicNumbers(int.from_bytes(quote[500:532], "big"), int.from_bytes(quote[532:564], "big"), ec.SECP256R1()).public_key()
        key.verify(der(quote[436:500]), quote[:432], ec.ECDSA(hashes.SHA256()))
        cert.public_key().verify(cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(cert.signature_hash_algorithm))
        endorsements = cbor2.loads(ext["2.23.133.5.4.2"])
        assert endorsements.tag == 60000 and len(endorsements.value) == 8 and endorsements.value[0] == 0x10003
        assert endorsements.value[1].startswith(b'{"tcbInfo":{') and endorsements.value[6].startswith(b'{"enclaveIdentity":{')
        x509.load_der_x509_crl(endorsements.value[3]); x509.load_der_x509_crl(endorsements.value[4])
        for chain in (2, 5, 7): x509.load_pem_x509_certificate(endorsements.value[chain].rstrip(b"\0"))
        print(claims["nonce"].hex(), quote[112:144].hex())
        """;

    [Fact]
    public async Task CreateAsync_Certificate_IsReadByAnIndependentParserAndByOpenssl()
    {
        using var quoter = new SimulatedQuoter();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var collateral = ((Simulator.SimulatedCollateral)quoter.Options.Collateral).Dcap.Single(p => p.Key.Tee == "sgx" && p.Key.Ca == PckCa.Platform).Value;
        var nonce = RandomNumberGenerator.GetBytes(32);
        using var certificate = await RaTlsCertificate.CreateAsync(
            key, quoter, new FakeTimeProvider(SimulatedQuoter.Now), collateral, nonce, TestContext.Current.CancellationToken);
        Assert.SkipUnless(Run("/usr/bin/python3", ["-c", "import cbor2, cryptography"], []).ExitCode == 0, "python3-cbor2 and python3-cryptography are not installed");

        var (code, output) = Run("/usr/bin/python3", ["-c", Reader], certificate.RawData);
        Assert.True(code == 0, output);
        Assert.Equal($"{Convert.ToHexStringLower(nonce)} {quoter.MrEnclave}", output.Trim());

        (code, output) = Run("openssl", ["x509", "-inform", "DER", "-noout", "-text"], certificate.RawData);
        Assert.True(code == 0, output);
        Assert.Contains("2.23.133.5.4.9:", output, StringComparison.Ordinal);
        Assert.Contains("2.23.133.5.4.2:", output, StringComparison.Ordinal);
        Assert.Contains("Subject: CN = Kist enclave", output, StringComparison.Ordinal);
    }

    /// <summary>Published by the projects for their own interoperability tests; not in every corpus.</summary>
    [Theory]
    [InlineData("gramine-cert.pem", "2023-06-01", 0)]
    [InlineData("rats-tls-cert.pem", "2023-06-01", 2)]
    public void Verify_CertificateOfAnotherImplementation_IsGenuineAndSpeaksForItsKey(string name, string at, int customClaims)
    {
        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(Captured(name)));
        var evidence = RaTlsEvidence.Read(certificate.RawData);
        Assert.Equal((RaTlsForm.Dice, "sgx", customClaims), (evidence.Form, evidence.Tee, evidence.Claims!.OtherNames.Length));
        var verdict = RaTlsVerifier.Verify(evidence, null, new VerificationOptions { Time = DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture) }, false);
        foreach (var id in new[]
        {
            "ratls.certificate.validity", "ratls.certificate.signature", "ratls.key", "sgx.binding.report_data", "sgx.quote.signature", "sgx.qe.signature",
            "sgx.qe.binding", "sgx.debug",
        })
        {
            Assert.True(verdict.Findings.Any(f => f.Id == id && f.Outcome == (id == "sgx.debug" ? FindingOutcome.Fail : FindingOutcome.Pass)), $"{id}: {Describe(verdict)}");
        }

        Assert.False(verdict.IsAccepted);
        Assert.False(verdict.IsSimulated);
    }

    private static string Captured(string name) =>
        Environment.GetEnvironmentVariable("KIST_RA_TLS_CERTIFICATES") is { } folder ? Path.Combine(folder, name) : Testing.Evidence.PathOf($"ra-tls/{name}");

    private static string Describe(Verdict verdict) => string.Join('\n', verdict.Findings.Select(f => $"{f.Id} {f.Outcome} {f.Why}"));

    private static (int ExitCode, string Output) Run(string program, string[] arguments, byte[] input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        if (!process.WaitForExit(30_000))
            process.Kill();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + errors.Result);
    }
}
