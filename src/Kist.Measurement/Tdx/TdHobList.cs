using System.Buffers.Binary;
using System.Collections.Immutable;
using Kist.Measurement.Qemu;

namespace Kist.Measurement.Tdx;

/// <summary>
/// The hand-off block list that QEMU writes into the TD_HOB section to tell the firmware its memory; the firmware
/// measures it, without the block that ends it, into RTMR0.
/// <code>
/// PHIT      0 2 type 1   2 2 length 56   4 4 zero   8 4 version 9   12 4 boot mode 0   16 32 zero   48 8 end of the list
/// resource  0 2 type 3   2 2 length 48   4 4 zero   8 16 owner zero   24 4 kind   28 4 attributes 7   32 8 start   40 8 length
///           kind 0: memory already accepted (sections TD_HOB and TEMP_MEM); kind 7: unaccepted memory      PI vol. 3, 5
/// </code>
/// </summary>
public static class TdHobList
{
    private const int PhitSize = 56;
    private const int ResourceSize = 48;
    private const int EndSize = 8;
    private const uint SystemMemory = 0;
    private const uint UnacceptedMemory = 7;
    private const ulong FourGiB = 1UL << 32;

    /// <summary>The list's bytes, without the end block.</summary>
    /// <param name="sections">The firmware's sections; one is TD_HOB.</param>
    /// <param name="machine">The machine type, which decides how much memory lies below 4 GiB.</param>
    /// <param name="memoryBytes">The guest's memory.</param>
    /// <exception cref="Kist.Formats.OperationFailedException">There is no TD_HOB section, or the sections do not fit in the memory.</exception>
    public static byte[] Build(ImmutableArray<TdvfSection> sections, QemuMachine machine, ulong memoryBytes)
    {
        var hob = sections.FirstOrDefault(s => s.Type == TdvfSectionType.TdHob)
            ?? throw LaunchNotPossible.Because("firmware", "it has no TD_HOB section");
        var resources = Resources(sections, machine, memoryBytes);
        var list = new byte[PhitSize + ResourceSize * resources.Count];
        WritePhit(list, hob.MemoryAddress + (ulong)list.Length + EndSize);
        for (var i = 0; i < resources.Count; i++)
            WriteResource(list.AsSpan(PhitSize + ResourceSize * i), resources[i]);
        return list;
    }

    private static List<Resource> Resources(ImmutableArray<TdvfSection> sections, QemuMachine machine, ulong memoryBytes)
    {
        var below = QemuMemoryLayout.Below4GiB(machine, memoryBytes);
        var resources = new List<Resource>();
        ulong at = 0;
        var accepted = sections.Where(s => s.Type is TdvfSectionType.TdHob or TdvfSectionType.TemporaryMemory);
        foreach (var section in accepted.OrderBy(s => s.MemoryAddress))
        {
            if (section.MemoryAddress < at || section.MemoryAddress + section.MemorySize > below)
                throw LaunchNotPossible.Because("memory", $"the firmware's section at 0x{section.MemoryAddress:x} overlaps another or lies outside {memoryBytes} bytes");
            if (section.MemoryAddress > at)
                resources.Add(new Resource(UnacceptedMemory, at, section.MemoryAddress - at));
            resources.Add(new Resource(SystemMemory, section.MemoryAddress, section.MemorySize));
            at = section.MemoryAddress + section.MemorySize;
        }

        if (at < below)
            resources.Add(new Resource(UnacceptedMemory, at, below - at));
        if (memoryBytes > below)
            resources.Add(new Resource(UnacceptedMemory, FourGiB, memoryBytes - below));
        return resources;
    }

    private static void WritePhit(Span<byte> block, ulong endOfList)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, 1);
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], PhitSize);
        BinaryPrimitives.WriteUInt32LittleEndian(block[8..], 9);
        BinaryPrimitives.WriteUInt64LittleEndian(block[48..], endOfList);
    }

    private static void WriteResource(Span<byte> block, Resource resource)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, 3);
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], ResourceSize);
        BinaryPrimitives.WriteUInt32LittleEndian(block[24..], resource.Kind);
        BinaryPrimitives.WriteUInt32LittleEndian(block[28..], 7);
        BinaryPrimitives.WriteUInt64LittleEndian(block[32..], resource.Start);
        BinaryPrimitives.WriteUInt64LittleEndian(block[40..], resource.Length);
    }

    private readonly record struct Resource(uint Kind, ulong Start, ulong Length);
}
