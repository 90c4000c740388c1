using System.Buffers.Binary;

namespace Kist.Measurement.Sev;

/// <summary>
/// The save area of a virtual processor as it is at reset (AMD APM vol. 2, table B-4).
/// <code>
/// 0x000 es  0x010 cs  0x020 ss  0x030 ds  0x040 fs  0x050 gs  0x060 gdtr  0x070 ldtr  0x080 idtr  0x090 tr
///       each: 0 2 selector  2 2 attributes  4 4 limit  8 8 base
/// 0x0d0 efer  0x148 cr4  0x158 cr0  0x160 dr7  0x168 dr6  0x170 rflags  0x178 rip  0x268 g_pat  0x310 rdx
/// 0x3b0 sev_features  0x3e8 xcr0  0x408 mxcsr (4)  0x410 x87 control word (2)
/// </code>
/// </summary>
public static class VmsaPage
{
    /// <summary>Bytes of a page.</summary>
    public const int Size = 4096;

    /// <summary>Where the first processor starts: the reset vector.</summary>
    public const uint ResetVector = 0xfffffff0;

    private const ulong DefaultPat = 0x0007040600070406;

    /// <summary>The page of a processor that starts in real mode at <paramref name="address"/>.</summary>
    /// <param name="address">The reset vector, or for further processors the firmware's reset block.</param>
    /// <param name="features">SEV_FEATURES; 0 for SEV-ES.</param>
    /// <param name="cpuSignature">CPUID Fn0000_0001_EAX; counts for QEMU only.</param>
    /// <param name="vmm">Whose monitor prepares it.</param>
    /// <param name="generation">The host kernel's generation; counts for QEMU only.</param>
    public static byte[] RealMode(uint address, ulong features, uint cpuSignature, VmmType vmm, KernelGeneration generation)
    {
        var ec2 = vmm == VmmType.Ec2;
        var page = Common(features);
        foreach (var segment in new[] { 0x00, 0x30, 0x40, 0x50 })
            Segment(page, segment, 0, 0x93, 0xffff, 0);
        Segment(page, 0x10, 0xf000, (ushort)(ec2 && address == ResetVector ? 0x9a : 0x9b), 0xffff, address & 0xffff0000);
        Segment(page, 0x20, 0, (ushort)(ec2 ? 0x92 : 0x93), 0xffff, 0);
        Segment(page, 0x90, 0, (ushort)(ec2 ? 0x83 : 0x8b), 0xffff, 0);
        UInt64(page, 0x158, 0x10);
        UInt64(page, 0x178, address & 0xffff);
        UInt64(page, 0x268, vmm == VmmType.Gce ? 0x00070106 : DefaultPat);
        UInt64(page, 0x310, vmm == VmmType.Qemu ? cpuSignature : 0x600);
        if (vmm == VmmType.Qemu && generation == KernelGeneration.Init2)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0x408), 0x1f80);
            BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(0x410), 0x37f);
        }

        return page;
    }

    /// <summary>The page of a processor that starts an SVSM in protected mode.</summary>
    /// <param name="address">The SVSM's entry point.</param>
    /// <param name="cpuSignature">CPUID Fn0000_0001_EAX.</param>
    /// <param name="generation">The host kernel's generation.</param>
    public static byte[] Svsm(uint address, uint cpuSignature, KernelGeneration generation)
    {
        var page = Common((ulong)SevFeatures.SnpActive);
        foreach (var segment in new[] { 0x00, 0x20, 0x30, 0x40 })
            Segment(page, segment, 16, 0xc93, 0xffffffff, 0);
        Segment(page, 0x50, 0, 0x93, 0xffff, 0);
        Segment(page, 0x10, 8, 0xc9b, 0xffffffff, 0);
        Segment(page, 0x90, 0, 0x8b, 0xffff, 0);
        UInt64(page, 0x158, 0x11);
        UInt64(page, 0x178, address);
        UInt64(page, 0x268, DefaultPat);
        UInt64(page, 0x310, cpuSignature);
        // As the published digests have it: MXCSR alone, without the x87 control word.
        if (generation == KernelGeneration.Init2)
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0x408), 0x1f80);
        return page;
    }

    private static byte[] Common(ulong features)
    {
        var page = new byte[Size];
        Segment(page, 0x60, 0, 0, 0xffff, 0);
        Segment(page, 0x70, 0, 0x82, 0xffff, 0);
        Segment(page, 0x80, 0, 0, 0xffff, 0);
        UInt64(page, 0x0d0, 0x1000);
        UInt64(page, 0x148, 0x40);
        UInt64(page, 0x160, 0x400);
        UInt64(page, 0x168, 0xffff0ff0);
        UInt64(page, 0x170, 2);
        UInt64(page, 0x3b0, features);
        UInt64(page, 0x3e8, 1);
        return page;
    }

    private static void Segment(byte[] page, int offset, ushort selector, ushort attributes, uint limit, ulong start)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(offset), selector);
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(offset + 2), attributes);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(offset + 4), limit);
        BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(offset + 8), start);
    }

    private static void UInt64(byte[] page, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(offset), value);
}
