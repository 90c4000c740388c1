using System.Collections.Immutable;
using Kist.Measurement.Nitro;
using Kist.Measurement.Sev;
using Kist.Measurement.Snp;
using Kist.Measurement.Tdx;
using Kist.Measurement.Tpm;

namespace Kist.Measurement.Manifests;

/// <summary>A value that went into a measurement.</summary>
/// <param name="Name">"firmware", "kernel", "initrd", "command line", "memory", "processors", …</param>
/// <param name="Value">A number or text, or "sha256:…, N bytes" for a file.</param>
public sealed record ManifestInput(string Name, string Value)
{
    /// <summary>A file.</summary>
    public static ManifestInput File(string name, ReadOnlySpan<byte> content) =>
        new(name, $"sha256:{HashValue.Sha256(content)}, {content.Length} bytes");
}

/// <summary>A predicted register or digest.</summary>
/// <param name="Name">In lower case: "mrtd", "rtmr0", "measurement", "pcr4", "mrenclave", …</param>
/// <param name="Value">Its value.</param>
public sealed record ManifestRegister(string Name, HashValue Value);

/// <summary>One step on the way to a register: an event, or pages that were added.</summary>
/// <param name="Register">The register that it moves.</param>
/// <param name="Kind">The event's type, or "pages".</param>
/// <param name="Input">Which input decides it.</param>
/// <param name="Description">What was measured.</param>
/// <param name="Digest">What was measured, as a digest: of an event its own, of pages the register after them.</param>
public sealed record ManifestStep(string Register, string Kind, string Input, string Description, HashValue Digest);

/// <summary>
/// What a launch will measure, for whichever TEE, in one form: for people and programs to read, keep, compare and sign. The
/// same inputs give the same manifest, byte for byte, on every machine.
/// </summary>
/// <param name="Tee">"tdx", "snp", "sev", "sev-es", "tpm", "nitro" or "sgx".</param>
/// <param name="Profile">The generation of monitor and firmware that was assumed.</param>
/// <param name="Inputs">What went in.</param>
/// <param name="Registers">What comes out.</param>
/// <param name="Steps">The way from one to the other.</param>
/// <param name="NotCovered">What hardware measures besides.</param>
public sealed record MeasurementManifest(
    string Tee,
    string Profile,
    ImmutableArray<ManifestInput> Inputs,
    ImmutableArray<ManifestRegister> Registers,
    ImmutableArray<ManifestStep> Steps,
    ImmutableArray<NotCovered> NotCovered)
{
    /// <summary>The manifest of a TDX launch.</summary>
    public static MeasurementManifest Of(TdxLaunchMeasurement measurement, string profile, ImmutableArray<ManifestInput> inputs) => new(
        "tdx", profile, inputs,
        [
            new("mrtd", measurement.MrTd), .. measurement.Rtmrs.Select((r, i) => new ManifestRegister($"rtmr{i}", r)),
            new("mrconfigid", measurement.MrConfigId),
        ],
        [new("mrtd", "pages", "firmware", "pages of the firmware image", measurement.MrTd), .. measurement.Events.Select(e => StepOf(e, "rtmr"))],
        measurement.NotCovered);

    /// <summary>The manifest of an SEV-SNP launch.</summary>
    public static MeasurementManifest Of(SnpLaunchMeasurement measurement, string profile, ImmutableArray<ManifestInput> inputs) => new(
        "snp", profile, inputs, [new("measurement", measurement.LaunchDigest)], PageSteps(measurement.Steps), []);

    /// <summary>The manifest of an SEV or SEV-ES launch.</summary>
    public static MeasurementManifest Of(SevLaunchMeasurement measurement, string tee, string profile, ImmutableArray<ManifestInput> inputs) => new(
        tee, profile, inputs, [new("measurement", measurement.LaunchDigest)], PageSteps(measurement.Steps), []);

    /// <summary>The manifest of a boot with a virtual TPM.</summary>
    public static MeasurementManifest Of(TpmBootMeasurement measurement, string bank, ImmutableArray<ManifestInput> inputs) => new(
        "tpm", bank, inputs, [.. measurement.Registers.Select(r => new ManifestRegister($"pcr{r.Key}", r.Value))],
        [.. measurement.Events.Select(e => StepOf(e, "pcr"))], measurement.NotCovered);

    /// <summary>The manifest of a Nitro enclave.</summary>
    public static MeasurementManifest Of(NitroMeasurement measurement, ImmutableArray<ManifestInput> inputs) => new(
        "nitro", "eif", inputs,
        [
            new("pcr0", measurement.Pcr0), new("pcr1", measurement.Pcr1), new("pcr2", measurement.Pcr2),
            .. measurement.Pcr8 is { } pcr8 ? new ManifestRegister[] { new("pcr8", pcr8) } : [],
        ],
        [
            new("pcr0", "pages", "image", "kernel, command line and all ramdisks", measurement.Pcr0),
            new("pcr1", "pages", "image", "kernel, command line and first ramdisk", measurement.Pcr1),
            new("pcr2", "pages", "image", "further ramdisks", measurement.Pcr2),
        ],
        [new("pcr3", "IAM role of the parent instance", "it is not in the image"), new("pcr4", "identity of the parent instance", "it is not in the image")]);

    /// <summary>The value of a register, or null.</summary>
    public HashValue? Find(string register) => Registers.FirstOrDefault(r => r.Name == register)?.Value;

    private static ManifestStep StepOf(MeasuredEvent measured, string prefix) => new(
        $"{prefix}{measured.Register}", EventLogs.TcgEventType.NameOf(measured.EventType), measured.Input, measured.Description, measured.Digest);

    private static ImmutableArray<ManifestStep> PageSteps(ImmutableArray<LaunchStep> steps) =>
        [.. steps.Select(s => new ManifestStep("measurement", "pages", s.Input, s.Description, s.Digest))];
}
