namespace Kist.Simulator.Vendor;

/// <summary>What a PCK certificate says of its platform.</summary>
sealed record SimulatedSgxPlatformIdentity
{
    /// <summary>FMSPC of every simulated platform: "KIST" in ASCII, which no processor has.</summary>
    public static byte[] SimulatedFmspc => [0x4b, 0x49, 0x53, 0x54, 0x00, 0x00];

    /// <summary>Platform provisioning identity, 16 bytes.</summary>
    public required byte[] Ppid { get; init; }

    /// <summary>Platform instance, 16 bytes.</summary>
    public required byte[] PlatformInstanceId { get; init; }

    /// <summary>CPUSVN, 16 bytes; here the component SVNs themselves, as on multi-package platforms.</summary>
    public required byte[] CpuSvn { get; init; }

    /// <summary>PCESVN.</summary>
    public required ushort PceSvn { get; init; }

    /// <summary>PCEID, 2 bytes.</summary>
    public byte[] PceId { get; init; } = [0, 0];

    /// <summary>FMSPC, 6 bytes.</summary>
    public byte[] Fmspc { get; init; } = SimulatedFmspc;

    /// <summary>True: certified by the platform authority; false: by the processor authority.</summary>
    public bool IsMultiPackage { get; init; } = true;
}
