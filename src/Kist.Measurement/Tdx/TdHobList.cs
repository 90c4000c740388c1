using System.Collections.Immutable;
using Kist.Measurement.Qemu;

namespace Kist.Measurement.Tdx;

/// <summary>
/// The hand-off block list that QEMU writes into the TD_HOB section to tell the firmware its memory: the sections TD_HOB and
/// TEMP_MEM as accepted memory, what lies between them as unaccepted, by address. Firmware measures it, without the block
/// that ends it, into RTMR0.
/// </summary>
public static class TdHobList
{
    private const int EndSize = 8;
    private const uint Tested = 7;
    private const ulong FourGiB = 1UL << 32;

    /// <summary>The list's bytes, without the end block.</summary>
    /// <param name="sections">The firmware's sections; one is TD_HOB.</param>
    /// <param name="machine">The machine type, which decides how much memory lies below 4 GiB.</param>
    /// <param name="memoryBytes">The guest's memory.</param>
    /// <exception cref="Formats.OperationFailedException">There is no TD_HOB section, or the sections do not fit in the memory.</exception>
    public static byte[] Build(ImmutableArray<TdvfSection> sections, QemuMachine machine, ulong memoryBytes)
    {
        var hob = sections.FirstOrDefault(s => s.Type == TdvfSectionType.TdHob) ?? throw LaunchNotPossible.Because("firmware", "it has no TD_HOB section");
        var resources = Resources(sections, machine, memoryBytes);
        return HobResource.WriteList(resources, hob.MemoryAddress + HobResource.PhitSize + HobResource.Size * (ulong)resources.Count + EndSize);
    }

    private static List<HobResource> Resources(ImmutableArray<TdvfSection> sections, QemuMachine machine, ulong memoryBytes)
    {
        var below = QemuMemoryLayout.Below4GiB(machine, memoryBytes);
        var resources = new List<HobResource>();
        ulong at = 0;
        var accepted = sections.Where(s => s.Type is TdvfSectionType.TdHob or TdvfSectionType.TemporaryMemory);
        foreach (var section in accepted.OrderBy(s => s.MemoryAddress))
        {
            if (section.MemoryAddress < at || section.MemoryAddress + section.MemorySize > below)
                throw LaunchNotPossible.Because("memory", $"the firmware's section at 0x{section.MemoryAddress:x} overlaps another or lies outside {memoryBytes} bytes");
            if (section.MemoryAddress > at)
                resources.Add(Unaccepted(at, section.MemoryAddress - at));
            resources.Add(new HobResource(HobResource.SystemMemory, Tested, section.MemoryAddress, section.MemorySize));
            at = section.MemoryAddress + section.MemorySize;
        }

        if (at < below)
            resources.Add(Unaccepted(at, below - at));
        if (memoryBytes > below)
            resources.Add(Unaccepted(FourGiB, memoryBytes - below));
        return resources;
    }

    private static HobResource Unaccepted(ulong start, ulong length) => new(HobResource.UnacceptedMemory, Tested, start, length);
}
