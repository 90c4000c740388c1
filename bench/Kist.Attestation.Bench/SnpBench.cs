namespace Kist.Attestation.Bench;

/// <summary>
/// One SNP report and its VCEK certificate, every check, findings and claims included. Warm: the certificates were seen before.
/// Cold: each round brings a certificate that was not seen before, as from another machine; AMD's own are known.
/// </summary>
static class SnpBench
{
    public static void Run(string corpus)
    {
        var report = File.ReadAllBytes(Path.Combine(corpus, "snp", "milan-v3-oak-oc", "report.bin"));
        var certificate = File.ReadAllBytes(Path.Combine(corpus, "snp", "milan-v3-oak-oc", "vcek.der"));
        var options = new VerificationOptions { Time = new DateTimeOffset(2025, 6, 1, 0, 0, 0, TimeSpan.Zero) };
        var evidence = new Evidence { Tee = "snp", Bytes = report, Certificates = certificate };
        if (!EvidenceVerifier.Verify(evidence, ExpectedBinding.None, options).IsAccepted)
            throw new InvalidOperationException("the sample is not accepted");

        var limit = Measure.OpensslVerify("ecdsap384");
        var warm = Measure.PerSecond(() => EvidenceVerifier.Verify(evidence, ExpectedBinding.None, options));
        var allocated = Measure.BytesAllocated(() => EvidenceVerifier.Verify(evidence, ExpectedBinding.None, options));
        var round = 0;
        var cold = Measure.PerSecond(() =>
        {
            // Zeros after the certificate are ignored, and make the file another one.
            var other = new byte[certificate.Length + 1 + round++ % 8000];
            certificate.CopyTo(other, 0);
            EvidenceVerifier.Verify(evidence with { Certificates = other }, ExpectedBinding.None, options);
        });
        Console.WriteLine($"openssl speed ecdsap384, verify   {limit,8:0}/s");
        Console.WriteLine($"SNP report, warm                  {warm,8:0}/s   {warm / limit:0.00} of openssl   {allocated:0} bytes allocated");
        Console.WriteLine($"SNP report, cold                  {cold,8:0}/s   {cold / limit:0.00} of openssl");
    }
}
