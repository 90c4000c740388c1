using Kist.Attestation;
using Kist.Attestation.Corim;
using Kist.Attestation.References;
using Kist.Formats;
using Kist.Measurement.Firmware;
using Kist.Measurement.Linux;
using Kist.Measurement.Manifests;
using Kist.Measurement.Nitro;
using Kist.Measurement.Uefi;

namespace Kist.Fuzz;

/// <summary>Everything that reads bytes of strangers, by name.</summary>
static class Targets
{
    private static readonly VerificationOptions s_options = new() { Time = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) };

    public static IReadOnlyDictionary<string, Action<byte[]>> All { get; } = new SortedDictionary<string, Action<byte[]>>(StringComparer.Ordinal)
    {
        ["evidence"] = data => EvidenceVerifier.Verify(EvidenceDetector.Detect(data).Evidence, ExpectedBinding.None, s_options),
        ["inspect"] = data => EvidenceInspector.Inspect(data),
        ["collateral"] = data =>
        {
            var reader = new CollateralReader();
            reader.Add(data);
            reader.Build(s_options.Time);
            VendorCollateral.Read(data);
        },
        ["bundle"] = data => EvidenceBundleJson.Parse(data).Verify(VendorAnchors.All),
        ["policy"] = data => TcbPolicyJson.Parse(data),
        ["corim"] = data => CorimReferenceSet.Of(CorimDocument.Parse(data)),
        ["referenceset"] = data => SignedReferenceSet.Parse(System.Text.Encoding.Latin1.GetString(data)),
        ["hostkey"] = data => Attestation.Se.SeHostKeyDocument.Verify(data, data, [data], s_options),
        ["eventlog"] = data => EvidenceRegisters.OfEventLog(Attestation.EventLogs.EventLog.Parse(data)),
        ["registers"] = data => EvidenceRegisters.Read(data),
        ["firmware"] = data =>
        {
            var image = OvmfImage.Parse(data);
            image.ReadTdvfSections();
            image.ReadSevSections();
            VariableStore.Parse(data);
        },
        ["kernel"] = data => BzImage.Parse(data),
        ["pe"] = data => PeImage.Parse(data).AuthenticodeDigest(System.Security.Cryptography.HashAlgorithmName.SHA256),
        ["uki"] = data =>
        {
            var uki = UnifiedKernelImage.Parse(data);
            foreach (var section in uki.MeasuredSections)
                uki.InMemory(section);
        },
        ["eif"] = data => NitroMeasurement.Of(EifImage.Parse(data)),
        ["diff"] = data => ArtefactDifference.Between(data, data.Length > 0 ? [.. data[..^1], (byte)(data[^1] ^ 1)] : data),
        ["manifest"] = data => ManifestJson.Parse(data),
    };

    /// <summary>Runs a target on one input. The two exceptions for inputs that are wrong are the only ones that may come out.</summary>
    public static void Run(Action<byte[]> target, byte[] data)
    {
        try
        {
            target(data);
        }
        catch (Exception e) when (e is MalformedDataException or OperationFailedException)
        {
            // Refused, as it should be.
        }
    }
}
