// Judges a file of evidence with collateral beside it, and says why: VerifyEvidence FILE [TIME [COLLATERAL…]]
using System.Globalization;
using Kist.Attestation;
using Kist.Formats;

var time = args.Length > 1 ? DateTimeOffset.Parse(args[1], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal) : DateTimeOffset.UtcNow;
try
{
    var collateral = new CollateralReader();
    foreach (var file in args.Skip(2))
        collateral.Add(File.ReadAllBytes(file));
    var evidence = EvidenceDetector.Detect(File.ReadAllBytes(args[0])).Evidence;
    var verdict = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, new VerificationOptions { Time = time, Collateral = collateral.Build(time) });
    VerdictTree.Write(Console.Out, verdict);
    return verdict.IsAccepted ? 0 : 3;
}
catch (MalformedDataException e)
{
    Console.Error.WriteLine(e.Message);
    return 4;
}
