using Kist.Enclaves.Manifests;
using Kist.Enclaves.Platform;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.ImageAgents;

/// <summary>What an enclave has to know of itself to recognise its kin: enclaves of the same host program.</summary>
/// <param name="Secs">Its control page.</param>
/// <param name="Program">The host program.</param>
/// <param name="Manifest">Its manifest's bytes.</param>
/// <param name="Platform">The enclave instructions.</param>
sealed record EnclaveSelf(Secs Secs, ReadOnlyMemory<byte> Program, byte[] Manifest, PlatformClient Platform)
{
    /// <summary>Reads this process's program, by a path of the container's: the host could have laid another there.</summary>
    /// <exception cref="OperationFailedException">It is not what was measured.</exception>
    public static EnclaveSelf Read(Secs secs, byte[] manifest, PlatformClient platform)
    {
        const string path = "/proc/self/exe";
        var program = File.ReadAllBytes(path);
        return ApplicationEnclave.Create(program, manifest).Measure().AsSpan().SequenceEqual(secs.MrEnclave)
            ? new EnclaveSelf(secs, program, manifest, platform)
            : throw new OperationFailedException("read own program", path, "it is not the program that was measured");
    }

    /// <summary>
    /// Why a report is not that of an enclave with this host program and a given manifest; null if it is. What the host
    /// program does with a manifest is known, so the manifest says all about the other enclave.
    /// </summary>
    public string? FindDefect(Report report, byte[] manifest)
    {
        var expected = ApplicationEnclave.Create(Program, manifest).Measure();
        if (!report.Body.MrEnclave.SequenceEqual(expected))
            return $"it is {Convert.ToHexStringLower(report.Body.MrEnclave)}, its manifest with this host program would be {Convert.ToHexStringLower(expected)}";
        var debug = report.Body.Attributes.Flags.HasFlag(EnclaveTraits.Debug);
        return debug && !Secs.Attributes.Flags.HasFlag(EnclaveTraits.Debug) ? "it is a debug enclave" : null;
    }
}
