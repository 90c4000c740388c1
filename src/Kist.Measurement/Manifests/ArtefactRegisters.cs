using System.Security.Cryptography;
using Kist.Formats;
using Kist.Measurement.Firmware;
using Kist.Measurement.Nitro;
using Kist.Measurement.Tdx;
using Kist.Measurement.Tpm;
using Kist.Measurement.Uefi;

namespace Kist.Measurement.Manifests;

/// <summary>
/// The registers that follow from one artefact by itself, so that it can be laid beside evidence, an event log or a prediction.
/// </summary>
public static class ArtefactRegisters
{
    /// <summary>Computes them as the other side shows them.</summary>
    /// <param name="artefact">An enclave image (EIF), a unified kernel image, or firmware.</param>
    /// <param name="other">What it is to be compared with: its TEE and the lengths of its registers decide what is computed.</param>
    /// <exception cref="OperationFailedException">The artefact alone decides no register of that TEE.</exception>
    public static MeasurementManifest Read(ReadOnlyMemory<byte> artefact, MeasurementManifest other)
    {
        ManifestInput[] inputs = [ManifestInput.File("artefact", artefact.Span)];
        switch (ArtefactDifference.KindOf(artefact), other.Tee)
        {
            case ("enclave image", "nitro"):
                return MeasurementManifest.Of(NitroMeasurement.Of(EifImage.Parse(artefact)), [.. inputs]);
            case ("kernel" or "PE image", "tpm" or "az-snp-vtpm" or "az-tdx-vtpm"):
                var bank = other.Registers.Any(r => r.Value.Length == 48) ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
                return OfUnifiedKernel(artefact, bank, inputs);
            case ("firmware", "tdx"):
                var firmware = OvmfImage.Parse(artefact);
                // The monitor's order is not in the image: the one that gives the other's value is taken, if any does.
                var values = Enum.GetValues<MrtdVariant>().Where(v => v != MrtdVariant.GceMeasureAll).Select(v => MrtdCalculator.Compute(firmware, v)).ToList();
                var value = values.Contains(other.Find("mrtd") ?? default) ? other.Find("mrtd")!.Value : values[0];
                return new("tdx", "firmware", [.. inputs], [new("mrtd", value)], [new("mrtd", "pages", "firmware", "pages of the firmware image", value)], []);
            default:
                throw LaunchNotPossible.Because(
                    ArtefactDifference.KindOf(artefact), $"by itself it decides no register of {other.Tee}", "predict the whole launch (kist measure … --json) and compare that");
        }
    }

    // Of a unified kernel image by itself only PCR 11 follows: the others depend on what loads it.
    private static MeasurementManifest OfUnifiedKernel(ReadOnlyMemory<byte> artefact, HashAlgorithmName bank, ManifestInput[] inputs)
    {
        var measured = MeasurementManifest.Of(
            TpmBootMeasurement.Of(new UefiBootInputs { UnifiedKernel = UnifiedKernelImage.Parse(artefact), StubLoadsKernelImage = false }, bank), bank.Name!.ToLowerInvariant(), [.. inputs]);
        return measured with
        {
            Registers = [.. measured.Registers.Where(r => r.Name == "pcr11")],
            Steps = [.. measured.Steps.Where(s => s.Register == "pcr11")],
            NotCovered = [],
        };
    }
}
