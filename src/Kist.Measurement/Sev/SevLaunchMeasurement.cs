using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Kist.Measurement.Sev;

/// <summary>
/// The launch digest of an SEV or SEV-ES guest: SHA-256 of the firmware, of the hashes table if a kernel is started
/// directly, and of every processor's save area (SEV-ES).
/// </summary>
/// <param name="LaunchDigest">32 bytes.</param>
/// <param name="Steps">Every step in order; their digests are those of all bytes so far.</param>
public sealed record SevLaunchMeasurement(HashValue LaunchDigest, ImmutableArray<LaunchStep> Steps)
{
    /// <summary>Predicts the digest.</summary>
    /// <exception cref="Formats.MalformedDataException">The firmware does not follow its format.</exception>
    /// <exception cref="Formats.OperationFailedException">Of these inputs no launch can come.</exception>
    public static SevLaunchMeasurement Of(SevLaunchInputs inputs)
    {
        var cpus = inputs.EncryptedStateCpus;
        if (cpus is < 0 or > Snp.SnpLaunchMeasurement.MaximumVirtualCpus)
            throw LaunchNotPossible.Because("processors", $"{cpus} are not between 0 and {Snp.SnpLaunchMeasurement.MaximumVirtualCpus}");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var steps = ImmutableArray.CreateBuilder<LaunchStep>();
        void Add(string input, string description, ReadOnlySpan<byte> data)
        {
            hash.AppendData(data);
            steps.Add(new LaunchStep(input, description, new HashValue(hash.GetCurrentHash())));
        }

        Add("firmware", "the firmware image", inputs.Firmware.Bytes.Span);
        if (inputs.Kernel is { } kernel)
        {
            if (inputs.Firmware.ReadSevHashTableAddress() is null)
            {
                throw LaunchNotPossible.Because(
                    "kernel", "the firmware does not check the hashes of kernel, initrd and command line",
                    "use an OVMF of the AmdSev kind (package ovmf-amdsev), or start without a kernel");
            }

            Add("kernel, initrd, command line", "table of their hashes", kernel.WriteTable());
        }

        if (cpus == 0)
            return new SevLaunchMeasurement(new HashValue(hash.GetHashAndReset()), steps.ToImmutable());
        Add("processors", "save area of the first processor", VmsaPage.RealMode(VmsaPage.ResetVector, 0, inputs.CpuSignature, inputs.Vmm, inputs.Generation));
        if (cpus > 1)
        {
            var reset = inputs.Firmware.ReadSevEsResetAddress()
                ?? throw LaunchNotPossible.Because("processors", "the firmware has no reset block, so only one processor can start");
            var page = VmsaPage.RealMode(reset, 0, inputs.CpuSignature, inputs.Vmm, inputs.Generation);
            for (var i = 1; i < cpus; i++)
                Add("processors", $"save area of processor {i}", page);
        }

        return new SevLaunchMeasurement(new HashValue(hash.GetHashAndReset()), steps.ToImmutable());
    }
}
