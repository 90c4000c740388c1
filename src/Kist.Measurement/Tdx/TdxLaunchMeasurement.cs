using System.Collections.Immutable;
using System.Security.Cryptography;
using Kist.Formats;
using Kist.Measurement.EventLogs;
using Kist.Measurement.Firmware;
using Kist.Measurement.Linux;
using Kist.Measurement.Qemu;
using Kist.Measurement.Uefi;

namespace Kist.Measurement.Tdx;

/// <summary>What the launch of a trust domain measures: MRTD, the events, and the RTMRs that follow from them.</summary>
public sealed class TdxLaunchMeasurement
{
    /// <summary>Bytes of MRTD, of an RTMR and of MRCONFIGID.</summary>
    public const int RegisterSize = 48;

    private TdxLaunchMeasurement(HashValue mrTd, HashValue mrConfigId, ImmutableArray<MeasuredEvent> events, ImmutableArray<NotCovered> notCovered)
    {
        MrTd = mrTd;
        MrConfigId = mrConfigId;
        Events = events;
        NotCovered = notCovered;
        Rtmrs = Replay(events);
    }

    /// <summary>MRTD: the firmware.</summary>
    public HashValue MrTd { get; }

    /// <summary>RTMR0–3 when the kernel starts; RTMR3 is zero, as nothing extends it during boot.</summary>
    public ImmutableArray<HashValue> Rtmrs { get; }

    /// <summary>MRCONFIGID as given.</summary>
    public HashValue MrConfigId { get; }

    /// <summary>Every extension in the order in which it happens.</summary>
    public ImmutableArray<MeasuredEvent> Events { get; }

    /// <summary>What hardware measures and this does not, or not certainly; empty if all is covered.</summary>
    public ImmutableArray<NotCovered> NotCovered { get; }

    /// <summary>The event log (CCEL) with exactly <see cref="Events"/>.</summary>
    public byte[] WriteEventLog() => CcelWriter.Write(Events);

    /// <summary>The values to compare evidence with.</summary>
    public TdxReferenceValues ToReferenceValues() =>
        new(MrTd, Rtmrs[0], Rtmrs[1], Rtmrs[2], MrConfigId) { NotCovered = NotCovered };

    /// <summary>Extends four registers of zeros by the events of each.</summary>
    public static ImmutableArray<HashValue> Replay(IEnumerable<MeasuredEvent> events)
    {
        var registers = Enumerable.Repeat(HashValue.Zero(RegisterSize), 4).ToArray();
        foreach (var measured in events)
            registers[measured.Register] = registers[measured.Register].Extend(measured.Digest);
        return [.. registers];
    }

    internal static TdxLaunchMeasurement Of(LaunchInputs inputs)
    {
        var firmware = OvmfImage.Parse(inputs.Firmware);
        var sections = firmware.ReadTdvfSections();
        if (sections.IsEmpty)
            throw LaunchNotPossible.Because("firmware", "it has no TDX metadata and cannot start a trust domain", "use an OVMF built with TDX support");
        if (inputs.CommandLine.AsSpan().ContainsAnyExceptInRange('\x01', '\x7f'))
            throw LaunchNotPossible.Because("command line", "it has a character outside ASCII, which firmware does not pass on unchanged");
        if (inputs.MrConfigId.Length is not (0 or RegisterSize))
            throw LaunchNotPossible.Because("MRCONFIGID", $"{inputs.MrConfigId.Length} bytes are not {RegisterSize}");

        var notCovered = new List<NotCovered>();
        var events = new List<MeasuredEvent>();
        AddFirmwareEvents(events, notCovered, inputs, firmware, sections);
        if (inputs.Boot is { } boot)
            AddBootEvents(events, inputs, boot);
        else
            AddKernelEvents(events, notCovered, inputs, BzImage.Parse(inputs.Kernel));
        events.AddRange(inputs.AgentEvents.Select(RuntimeEvent.AgentEvent));
        var mrConfigId = inputs.MrConfigId.IsEmpty ? HashValue.Zero(RegisterSize) : new HashValue(inputs.MrConfigId.Span);
        return new(MrTdOf(firmware, sections, inputs), mrConfigId, [.. events], [.. notCovered]);
    }

    // The list with its end block: what lies in the TD_HOB section's memory when a monitor measures that as well.
    private static HashValue MrTdOf(OvmfImage firmware, ImmutableArray<TdvfSection> sections, LaunchInputs inputs) =>
        inputs.Profile.Mrtd == MrtdVariant.GceMeasureAll
            ? MrtdCalculator.Compute(firmware, MrtdVariant.GceMeasureAll, [.. HandOffBlocks(sections, inputs), 0xff, 0xff, 8, 0, 0, 0, 0, 0])
            : MrtdCalculator.Compute(firmware, inputs.Profile.Mrtd);

    private static void AddFirmwareEvents(
        List<MeasuredEvent> events, List<NotCovered> notCovered, LaunchInputs inputs, OvmfImage firmware, ImmutableArray<TdvfSection> sections)
    {
        var profile = inputs.Profile;
        if (profile.HandOffBlocksMeasured)
        {
            var list = HandOffBlocks(sections, inputs);
            var address = sections.First(s => s.Type == TdvfSectionType.TdHob).MemoryAddress;
            events.Add(TdxFirmwareEvents.HandOffBlocks(list, address));
        }

        foreach (var section in sections.Where(s => s.Type == TdvfSectionType.ConfigurationFirmwareVolume))
            events.Add(TdxFirmwareEvents.ConfigurationVolume(firmware, section));
        var stable202505 = profile.Firmware == FirmwareGeneration.Stable202505;
        if (stable202505)
        {
            events.Add(TdxFirmwareEvents.FirmwareConfiguration("BootMenu", [0, 0]));
            events.Add(TdxFirmwareEvents.FirmwareConfiguration("bootorder", inputs.Boot is null ? "/rom@genroms/linuxboot_dma.bin\0"u8 : [0]));
        }

        var secureBoot = inputs.Boot?.SecureBoot ?? inputs.SecureBoot ?? EnrolledIn(firmware, sections);
        events.Add(TdxFirmwareEvents.SecureBootVariable(EfiVariable.GlobalVariable, "SecureBoot", secureBoot.SecureBoot.Span));
        events.Add(TdxFirmwareEvents.SecureBootVariable(EfiVariable.GlobalVariable, "PK", secureBoot.PlatformKey.Span));
        events.Add(TdxFirmwareEvents.SecureBootVariable(EfiVariable.GlobalVariable, "KEK", secureBoot.KeyExchangeKeys.Span));
        events.Add(TdxFirmwareEvents.SecureBootVariable(EfiVariable.ImageSecurityDatabase, "db", secureBoot.Allowed.Span));
        events.Add(TdxFirmwareEvents.SecureBootVariable(EfiVariable.ImageSecurityDatabase, "dbx", secureBoot.Forbidden.Span));
        events.Add(TdxFirmwareEvents.Separator(0));

        if (inputs.Acpi is { } acpi)
        {
            events.Add(TdxFirmwareEvents.AcpiBlob(acpi.TableLoader, "etc/table-loader"));
            events.Add(TdxFirmwareEvents.AcpiBlob(acpi.Rsdp, "etc/acpi/rsdp"));
            events.Add(TdxFirmwareEvents.AcpiBlob(acpi.Tables, "etc/acpi/tables"));
        }
        else
        {
            notCovered.Add(new NotCovered("rtmr0", "ACPI tables", "their digests were not given; take them from QEMU for exactly this machine"));
        }

        if (stable202505)
            events.Add(TdxFirmwareEvents.FirmwareAuthority());
        if (KnownFirmware.LacksMeasurement(firmware))
        {
            // Said once for the simulation, which measures in the firmware's place, and for hardware of each register.
            string[] registers = profile.Name == TdxLaunchProfile.Simulated.Name ? ["hardware"] : ["rtmr0", "rtmr1", "rtmr2"];
            foreach (var register in registers)
                notCovered.Add(new NotCovered(register, "this firmware on hardware", KnownFirmware.Reason));
        }
    }

    private static byte[] HandOffBlocks(ImmutableArray<TdvfSection> sections, LaunchInputs inputs) => inputs.Profile.MemoryMap switch
    {
        MemoryMap.GceEarlyAccept => GceHobList.Build(sections, inputs.MemoryBytes, acceptAllEarly: true),
        MemoryMap.GceLazyAccept => GceHobList.Build(sections, inputs.MemoryBytes, acceptAllEarly: false),
        _ => TdHobList.Build(sections, inputs.Profile.Machine, inputs.MemoryBytes),
    };

    private static void AddKernelEvents(List<MeasuredEvent> events, List<NotCovered> notCovered, LaunchInputs inputs, BzImage kernel)
    {
        var profile = inputs.Profile;
        var image = profile.KernelForm == KernelImageForm.Unmodified
            ? inputs.Kernel
            : QemuKernelLoader.Patch(kernel, inputs.Initrd?.Length, inputs.CommandLine, profile.Machine, inputs.MemoryBytes);
        events.Add(TdxFirmwareEvents.Kernel(PeImage.Parse(image).AuthenticodeDigest(HashAlgorithmName.SHA384), image.Length));
        AddReadyToBoot(events, inputs);
        AddStubEvents(events, notCovered, inputs, kernel);
        events.Add(TdxFirmwareEvents.Action("Exit Boot Services Invocation"u8));
        events.Add(TdxFirmwareEvents.Action("Exit Boot Services Returned with Success"u8));
    }

    private static void AddReadyToBoot(List<MeasuredEvent> events, LaunchInputs inputs)
    {
        if (inputs.BootVariables.IsEmpty && inputs.Profile.Firmware == FirmwareGeneration.Stable202505)
        {
            events.Add(TdxFirmwareEvents.BootVariable("BootOrder", [0, 0, 1, 0]));
            events.Add(TdxFirmwareEvents.BootVariable("Boot0000", EfiLoadOption.OvmfBootMenu()));
            events.Add(TdxFirmwareEvents.BootVariable("Boot0001", EfiLoadOption.OvmfFirmwareSetup()));
        }
        else if (inputs.BootVariables.IsEmpty)
        {
            events.Add(TdxFirmwareEvents.BootVariable("BootOrder", [0, 0]));
            events.Add(TdxFirmwareEvents.BootVariable("Boot0000", EfiLoadOption.OvmfSetup()));
        }

        foreach (var variable in inputs.BootVariables)
            events.Add(TdxFirmwareEvents.BootVariable(variable.Name, variable.Data.Span));
        events.Add(TdxFirmwareEvents.Action("Calling EFI Application from Boot Option"u8));
        events.Add(TdxFirmwareEvents.Separator(inputs.Profile.ReadyToBootSeparatorRegister));
    }

    // The events of a boot from a disk as on a TPM, in the registers that take the PCRs' place (UEFI 2.10, 38.4.1): 1 and 7
    // in RTMR0, 2 to 6 in RTMR1, 8 to 15 in RTMR2. Variables and separators are the firmware's own and are there already.
    private static void AddBootEvents(List<MeasuredEvent> events, LaunchInputs inputs, UefiBootInputs boot)
    {
        AddReadyToBoot(events, inputs);
        foreach (var measured in UefiBootEvents.Build(boot, HashAlgorithmName.SHA384))
        {
            if (measured.EventType is TcgEventType.Separator or TcgEventType.EfiVariableDriverConfig || measured.Description == "Calling EFI Application from Boot Option")
                continue;
            events.Add(measured with { Register = measured.Register switch { 1 or 7 => 0, >= 2 and <= 6 => 1, _ => 2 } });
        }
    }

    private static SecureBootVariables EnrolledIn(OvmfImage firmware, ImmutableArray<TdvfSection> sections)
    {
        if (sections.FirstOrDefault(s => s.Type == TdvfSectionType.ConfigurationFirmwareVolume) is not { } volume)
            return SecureBootVariables.None;
        var stored = VariableStore.Parse(firmware.Bytes.Slice(volume.DataOffset, volume.RawDataSize));
        return stored is { } variables && variables.Any(v => v.Name == "PK" && v.Vendor == EfiVariable.GlobalVariable)
            ? SecureBootVariables.Of(variables, supportsSecureBoot: true)
            : SecureBootVariables.None;
    }

    private static void AddStubEvents(List<MeasuredEvent> events, List<NotCovered> notCovered, LaunchInputs inputs, BzImage kernel)
    {
        var measures = inputs.Profile.Stub switch
        {
            KernelStubMeasurement.Always => true,
            KernelStubMeasurement.Never => false,
            _ => kernel.MeasuresIntoCcRegisters
                ?? throw LaunchNotPossible.Because("kernel", "its header names no release, so it is not known whether its EFI stub measures", "choose a profile that says so"),
        };
        if (kernel.MeasuresIntoCcRegisters == false)
        {
            notCovered.Add(new NotCovered(
                "rtmr2", "command line and initrd on hardware",
                $"the EFI stub of Linux {kernel.Release} does not measure them; only Linux 6.9 and later does, so on hardware they would be unprotected"));
        }

        if (!measures)
            return;
        events.Add(LinuxStubEvents.CommandLine(inputs.CommandLine + (inputs.Initrd is null or { IsEmpty: true } ? "" : " initrd=initrd")));
        if (inputs.Initrd is { IsEmpty: false } initrd)
            events.Add(LinuxStubEvents.Initrd(initrd.Span));
    }
}
