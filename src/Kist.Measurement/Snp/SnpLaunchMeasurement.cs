using System.Collections.Immutable;
using System.Security.Cryptography;
using Kist.Measurement.Firmware;
using Kist.Measurement.Sev;

namespace Kist.Measurement.Snp;

/// <summary>The launch digest of an SEV-SNP guest, with the steps that lead to it.</summary>
/// <param name="LaunchDigest">MEASUREMENT of the attestation report, 48 bytes.</param>
/// <param name="Steps">Every step in order.</param>
public sealed record SnpLaunchMeasurement(HashValue LaunchDigest, ImmutableArray<LaunchStep> Steps)
{
    /// <summary>More processors than any machine has.</summary>
    public const int MaximumVirtualCpus = 4096;

    /// <summary>Predicts the digest.</summary>
    /// <exception cref="Formats.MalformedDataException">The firmware does not follow its format.</exception>
    /// <exception cref="Formats.OperationFailedException">Of these inputs no launch can come.</exception>
    public static SnpLaunchMeasurement Of(SnpLaunchInputs inputs)
    {
        if (inputs.VirtualCpus is < 1 or > MaximumVirtualCpus)
            throw LaunchNotPossible.Because("processors", $"{inputs.VirtualCpus} are not between 1 and {MaximumVirtualCpus}");
        var firmware = inputs.Precomputed
            ?? SnpFirmwareDescription.Of(inputs.Firmware ?? throw LaunchNotPossible.Because("firmware", "neither an image nor a description was given"));
        var steps = ImmutableArray.CreateBuilder<LaunchStep>();
        var digest = new SnpLaunchDigest(firmware.Digest);
        steps.Add(new LaunchStep("firmware", "all pages of the firmware image", digest.Value));
        if (inputs.Svsm is { } svsm)
            AddSvsm(digest, steps, inputs, svsm);
        else
            AddPlain(digest, steps, inputs, firmware);
        return new SnpLaunchMeasurement(digest.Value, steps.ToImmutable());
    }

    private static void AddPlain(
        SnpLaunchDigest digest, ImmutableArray<LaunchStep>.Builder steps, SnpLaunchInputs inputs, SnpFirmwareDescription firmware)
    {
        if (inputs.Kernel is not null && (firmware.HashTableAddress is null || !firmware.Sections.Any(s => s.Type == SevSectionType.KernelHashes)))
        {
            throw LaunchNotPossible.Because(
                "kernel", "the firmware has no section for kernel hashes, so it would start whatever kernel the host gives it",
                "use an OVMF of the AmdSev kind (package ovmf-amdsev), or start without a kernel");
        }

        // EC2 adds the CPUID page last.
        var later = inputs.Vmm == VmmType.Ec2 ? firmware.Sections.Where(s => s.Type == SevSectionType.Cpuid) : [];
        foreach (var section in firmware.Sections.Except(later).Concat(later))
            AddSection(digest, steps, inputs, firmware, section);

        if (inputs.VirtualCpus > 1 && firmware.ResetAddress is null)
            throw LaunchNotPossible.Because("processors", "the firmware has no reset block, so only one processor can start");
        AddProcessors(
            digest, steps, inputs.VirtualCpus,
            VmsaPage.RealMode(VmsaPage.ResetVector, inputs.Features, inputs.CpuSignature, inputs.Vmm, inputs.Generation),
            VmsaPage.RealMode(firmware.ResetAddress ?? 0, inputs.Features, inputs.CpuSignature, inputs.Vmm, inputs.Generation));
    }

    private static void AddSection(
        SnpLaunchDigest digest, ImmutableArray<LaunchStep>.Builder steps, SnpLaunchInputs inputs, SnpFirmwareDescription firmware, SevSection section)
    {
        var input = "firmware";
        switch (section.Type)
        {
            case SevSectionType.SecMemory:
                digest.UpdateWithoutContent(inputs.Vmm == VmmType.Gce ? SnpPageType.Unmeasured : SnpPageType.Zero, section.Address, section.Size);
                break;
            case SevSectionType.Secrets:
                digest.Update(SnpPageType.Secrets, section.Address);
                break;
            case SevSectionType.Cpuid:
                digest.Update(SnpPageType.Cpuid, section.Address);
                break;
            case SevSectionType.KernelHashes when inputs.Kernel is { } kernel:
                digest.UpdateNormal(section.Address, kernel.WritePage(firmware.HashTableAddress!.Value));
                input = "kernel, initrd, command line";
                break;
            default:
                digest.UpdateWithoutContent(SnpPageType.Zero, section.Address, section.Size);
                break;
        }

        steps.Add(new LaunchStep(input, $"section {section.Type} at 0x{section.Address:x}, 0x{section.Size:x} bytes", digest.Value));
    }

    private static void AddSvsm(SnpLaunchDigest digest, ImmutableArray<LaunchStep>.Builder steps, SnpLaunchInputs inputs, SvsmInputs svsm)
    {
        if (inputs.Kernel is not null)
            throw LaunchNotPossible.Because("kernel", "with an SVSM no kernel is started directly");
        var firmware = inputs.Firmware ?? throw LaunchNotPossible.Because("firmware", "with an SVSM its image is needed");
        var image = svsm.Image.Bytes;
        var entry = svsm.Image.ReadSvsmEntryOffset() ?? throw LaunchNotPossible.Because("SVSM", "its image does not name an entry point");
        var end = SnpFirmwareDescription.AddressOf(firmware) - svsm.VariablesSize;
        if (svsm.VariablesSize > SnpFirmwareDescription.AddressOf(firmware) || (ulong)image.Length > end)
            throw LaunchNotPossible.Because("SVSM", "it does not fit below the firmware");
        var start = end - (ulong)image.Length;
        digest.UpdateNormal(start, image.Span);
        steps.Add(new LaunchStep("svsm", $"all pages of the SVSM image at 0x{start:x}", digest.Value));
        foreach (var section in svsm.Image.ReadSevSections())
            AddSection(digest, steps, inputs with { Vmm = VmmType.Qemu }, new(default, [], null, null), section);
        var page = VmsaPage.Svsm((uint)(start + entry), inputs.CpuSignature, inputs.Generation);
        AddProcessors(digest, steps, inputs.VirtualCpus, page, page);
    }

    private static void AddProcessors(SnpLaunchDigest digest, ImmutableArray<LaunchStep>.Builder steps, int count, byte[] first, byte[] others)
    {
        Span<byte> contents = stackalloc byte[SnpLaunchDigest.Size];
        SHA384.HashData(first, contents);
        digest.Update(SnpPageType.Vmsa, SnpLaunchDigest.VmsaAddress, contents);
        steps.Add(new LaunchStep("processors", "save area of the first processor", digest.Value));
        if (count == 1)
            return;
        SHA384.HashData(others, contents);
        for (var i = 1; i < count; i++)
            digest.Update(SnpPageType.Vmsa, SnpLaunchDigest.VmsaAddress, contents);
        steps.Add(new LaunchStep("processors", $"save areas of {count - 1} further processors", digest.Value));
    }
}
