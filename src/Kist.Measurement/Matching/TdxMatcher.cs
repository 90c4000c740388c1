using System.Collections.Immutable;
using Kist.Formats;
using Kist.Measurement.Manifests;
using Kist.Measurement.Tdx;

namespace Kist.Measurement.Matching;

/// <summary>Finds which profile and shape of a TDX launch explains each register of a quote.</summary>
public static class TdxMatcher
{
    private const int MaximumCandidates = 4096;

    // RTMR3 is the guest's own, and no launch predicts it.
    private static readonly ImmutableArray<string> Registers = ["mrtd", "rtmr0", "rtmr1", "rtmr2"];

    /// <summary>Memory sizes that are tried where none is given, in MiB.</summary>
    public static ImmutableArray<ulong> UsualMemoryMebibytes { get; } =
        [128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 32768, 65536, 131072, 262144];

    /// <summary>Tries every profile with every memory size.</summary>
    /// <param name="evidence">The registers of the evidence, with the events of its log if it has one.</param>
    /// <param name="artefacts">Firmware, kernel, initrd, command line; memory and profile are replaced.</param>
    /// <param name="memoryBytes">Memory sizes to try.</param>
    public static MatchResult Match(MeasurementManifest evidence, LaunchInputs artefacts, ImmutableArray<ulong> memoryBytes)
    {
        var profiles = TdxLaunchProfile.All.Add(TdxLaunchProfile.Simulated);
        if (memoryBytes.Length * profiles.Length > MaximumCandidates)
            throw LaunchNotPossible.Because("candidates", $"{memoryBytes.Length * profiles.Length} combinations are more than the limit of {MaximumCandidates}");
        var candidates = Candidates(artefacts with { Acpi = artefacts.Acpi ?? AcpiOfLog(evidence) }, memoryBytes, profiles).ToList();
        return RegisterMatcher.Match(evidence, candidates, Registers);
    }

    private static IEnumerable<MatchCandidate> Candidates(
        LaunchInputs artefacts, ImmutableArray<ulong> memoryBytes, ImmutableArray<TdxLaunchProfile> profiles)
    {
        foreach (var profile in profiles)
        {
            foreach (var memory in memoryBytes)
            {
                MeasurementManifest manifest;
                try
                {
                    manifest = MeasurementManifest.Of(LaunchPredictor.Predict(artefacts with { Profile = profile, MemoryBytes = memory }), profile.Name, []);
                }
                catch (OperationFailedException)
                {
                    // This memory is too small for the initrd, or the profile needs what the kernel does not say.
                    continue;
                }

                yield return new MatchCandidate($"{profile.Name}, {memory >> 20} MiB", manifest);
            }
        }
    }

    // Nobody can predict the ACPI blobs of an unknown machine, so the log's own digests are taken for them.
    private static AcpiDigests? AcpiOfLog(MeasurementManifest evidence)
    {
        var blobs = evidence.Steps.Where(s => s.Register == "rtmr0" && s.Kind == "EV_PLATFORM_CONFIG_FLAGS").Select(s => s.Digest).ToList();
        return blobs is [.., var loader, var rsdp, var tables] ? new AcpiDigests(loader, rsdp, tables) : null;
    }
}
