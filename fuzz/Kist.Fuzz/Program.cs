using Kist.Attestation;
using Kist.Formats;
using SharpFuzz;

namespace Kist.Fuzz;

/// <summary>
/// Feeds a fuzzer's inputs to everything that reads bytes of strangers. Any exception but MalformedDataException is a finding.
/// Usage, with AFL and the SharpFuzz tool: instrument Kist.Attestation.dll and Kist.Formats.dll with `sharpfuzz`, then
/// `afl-fuzz -i CORPUS -o OUT dotnet Kist.Fuzz.dll TARGET`. With a file as second argument, that one input is run, to look at a
/// finding.
/// </summary>
static class Program
{
    private static readonly VerificationOptions s_options = new() { Time = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) };

    private static readonly Dictionary<string, Action<byte[]>> s_targets = new()
    {
        ["evidence"] = data => EvidenceVerifier.Verify(EvidenceDetector.Detect(data).Evidence, ExpectedBinding.None, s_options),
        ["inspect"] = data => EvidenceInspector.Inspect(data),
        ["collateral"] = data =>
        {
            var reader = new CollateralReader();
            reader.Add(data);
            reader.Build(s_options.Time);
        },
        ["bundle"] = data => EvidenceBundleJson.Parse(data).Verify(VendorAnchors.All),
        ["policy"] = data => TcbPolicyJson.Parse(data),
        ["corim"] = data => Attestation.Corim.CorimDocument.Parse(data),
        ["hostkey"] = data => Attestation.Se.SeHostKeyDocument.Verify(data, data, [data], s_options),
        ["eventlog"] = data => Attestation.EventLogs.EventLog.Parse(data),
    };

    static int Main(string[] args)
    {
        if (args.Length is < 1 or > 2 || !s_targets.TryGetValue(args[0], out var target))
        {
            Console.Error.WriteLine($"usage: Kist.Fuzz {string.Join('|', s_targets.Keys)} [FILE]");
            return 2;
        }

        if (args.Length == 2)
        {
            Run(target, File.ReadAllBytes(args[1]));
            return 0;
        }

        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var buffer = new MemoryStream();
            stream.CopyTo(buffer);
            Run(target, buffer.ToArray());
        });
        return 0;
    }

    private static void Run(Action<byte[]> target, byte[] data)
    {
        try
        {
            target(data);
        }
        catch (MalformedDataException)
        {
            // The one exception that may come out.
        }
    }
}
