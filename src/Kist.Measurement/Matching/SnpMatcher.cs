using System.Collections.Immutable;
using Kist.Measurement.Sev;
using Kist.Measurement.Snp;

namespace Kist.Measurement.Matching;

/// <summary>Finds which monitor, processor, count and generation explains a launch digest of SEV-SNP.</summary>
public static class SnpMatcher
{
    private const int MaximumCandidates = 100_000;

    /// <summary>Numbers of processors that are tried where none is given.</summary>
    public static ImmutableArray<int> UsualVirtualCpus { get; } = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];

    /// <summary>Values of SEV_FEATURES that hosts are known to set.</summary>
    public static ImmutableArray<ulong> UsualFeatures { get; } = [0x1, 0x21];

    /// <summary>Tries every combination.</summary>
    /// <param name="measurement">MEASUREMENT of the report.</param>
    /// <param name="artefacts">Firmware and kernel hashes; the rest is replaced.</param>
    /// <param name="virtualCpus">Numbers of processors to try.</param>
    public static MatchResult Match(HashValue measurement, SnpLaunchInputs artefacts, ImmutableArray<int> virtualCpus)
    {
        var found = ImmutableArray.CreateBuilder<string>();
        var count = 0;
        // The firmware's pages are hashed once for all candidates.
        if (artefacts.Svsm is null && artefacts.Precomputed is null && artefacts.Firmware is { } firmware)
            artefacts = artefacts with { Precomputed = SnpFirmwareDescription.Of(firmware) };
        foreach (var (name, candidate) in Candidates(artefacts, virtualCpus))
        {
            if (++count > MaximumCandidates)
                throw LaunchNotPossible.Because("candidates", $"there are more than {MaximumCandidates} combinations");
            if (SnpLaunchMeasurement.Of(candidate).LaunchDigest == measurement)
                found.Add(name);
        }

        return new MatchResult(
            "snp",
            [
                new RegisterMatch(
                    "measurement", measurement, found.Count > 0,
                    found.Count > 0 ? found.ToImmutable() : ["no combination gives this value: firmware, kernel, initrd or command line differ, or a processor count or feature that was not tried"]),
            ],
            count);
    }

    private static IEnumerable<(string, SnpLaunchInputs)> Candidates(SnpLaunchInputs artefacts, ImmutableArray<int> virtualCpus)
    {
        foreach (var cpus in virtualCpus)
        {
            foreach (var features in UsualFeatures)
            {
                foreach (var vmm in new[] { VmmType.Ec2, VmmType.Gce })
                    yield return ($"{vmm.ToString().ToLowerInvariant()}, {cpus} vCPU, features 0x{features:x}", artefacts with { VirtualCpus = cpus, Features = features, Vmm = vmm });
                foreach (var model in CpuSignature.Names)
                {
                    foreach (var generation in Enum.GetValues<KernelGeneration>())
                    {
                        yield return (
                            $"qemu, {model}, {cpus} vCPU, features 0x{features:x}, kernel {(generation == KernelGeneration.Init2 ? "6.10 or later" : "before 6.10")}",
                            artefacts with
                            {
                                VirtualCpus = cpus,
                                Features = features,
                                Vmm = VmmType.Qemu,
                                CpuSignature = CpuSignature.Find(model)!.Value,
                                Generation = generation,
                            });
                    }
                }
            }
        }
    }
}
