using Kist.Attestation.X509;

namespace Kist.Attestation.Tests.Dcap;

/// <summary>Evidence and collateral of Intel's TEEs from the corpus.</summary>
internal static class IntelCorpus
{
    public static Evidence Load(string quote, string? log = null)
    {
        var evidence = EvidenceDetector.Detect(Testing.Evidence.Read(quote)).Evidence;
        return log is null ? evidence : evidence with { EventLog = Testing.Evidence.Read(log) };
    }

    public static VerificationOptions Options(string time, params string[] collateral)
    {
        var at = DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture);
        var reader = new CollateralReader();
        foreach (var file in collateral)
            reader.Add(Testing.Evidence.Read(file));
        return new VerificationOptions { Time = at, Collateral = reader.Build(at) };
    }

    public static TrustAnchorSet Anchor(string certificate)
    {
        var root = PemReader.ReadCertificates(Testing.Evidence.Read(certificate))[0];
        var hash = System.Security.Cryptography.SHA256.HashData(root.SubjectPublicKeyInfo.Span);
        return new TrustAnchorSet([new TrustAnchor("intel", "test root", [.. hash], IsSimulated: false, "corpus")]);
    }
}
