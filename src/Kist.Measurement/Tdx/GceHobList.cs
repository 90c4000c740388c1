using System.Collections.Immutable;

namespace Kist.Measurement.Tdx;

/// <summary>
/// The hand-off block list that Google Compute Engine writes: every section of the firmware in its order as memory, then
/// what is left of the machine's memory banks as unaccepted memory, which firmware is asked to accept early (attribute
/// 0x10000000) below 4 GiB, and above it on images that cannot accept memory themselves.
/// </summary>
public static class GceHobList
{
    private const ulong FourGiB = 1UL << 32;
    private const ulong ThreeGiB = 3UL << 30;
    private const ulong FirmwareBank = 2UL << 20;
    private const uint Tested = 7;
    private const uint NeedsEarlyAccept = 0x10000000;

    /// <summary>The list's bytes, without the end block.</summary>
    /// <param name="sections">The firmware's sections; one is TD_HOB.</param>
    /// <param name="memoryBytes">The machine type's memory, such as 16 GiB for c3-standard-4; more than 3 GiB.</param>
    /// <param name="acceptAllEarly">True if firmware is to accept memory above 4 GiB as well.</param>
    /// <exception cref="Formats.OperationFailedException">There is no TD_HOB section, or too little memory.</exception>
    public static byte[] Build(ImmutableArray<TdvfSection> sections, ulong memoryBytes, bool acceptAllEarly)
    {
        if (memoryBytes <= ThreeGiB)
            throw LaunchNotPossible.Because("memory", $"no machine type of Google Compute Engine has only {memoryBytes} bytes");
        (ulong, ulong)[] banks = [(0, ThreeGiB), (FourGiB - FirmwareBank, FirmwareBank), (FourGiB, memoryBytes - ThreeGiB)];
        return Build(sections, banks, acceptAllEarly);
    }

    internal static byte[] Build(ImmutableArray<TdvfSection> sections, IEnumerable<(ulong Start, ulong Length)> banks, bool acceptAllEarly)
    {
        var hob = sections.FirstOrDefault(s => s.Type == TdvfSectionType.TdHob) ?? throw LaunchNotPossible.Because("firmware", "it has no TD_HOB section");
        var resources = sections.Select(s => new HobResource(HobResource.SystemMemory, Tested, s.MemoryAddress, s.MemorySize)).ToList();
        foreach (var (start, length) in Unaccepted(sections, banks))
        {
            var early = acceptAllEarly || start + length <= FourGiB;
            resources.Add(new HobResource(HobResource.UnacceptedMemory, early ? Tested | NeedsEarlyAccept : Tested, start, length));
        }

        return HobResource.WriteList(resources, hob.MemoryAddress + HobResource.PhitSize + HobResource.Size * (ulong)resources.Count);
    }

    private static IEnumerable<(ulong Start, ulong Length)> Unaccepted(ImmutableArray<TdvfSection> sections, IEnumerable<(ulong Start, ulong Length)> banks)
    {
        foreach (var (start, length) in banks.OrderBy(b => b.Start))
        {
            var at = start;
            var end = start + length;
            foreach (var section in sections.OrderBy(s => s.MemoryAddress))
            {
                var (from, to) = (section.MemoryAddress, section.MemoryAddress + section.MemorySize);
                if (to <= at || from >= end)
                    continue;
                if (from > at)
                    yield return (at, from - at);
                at = to;
            }

            if (at < end)
                yield return (at, end - at);
        }
    }
}
