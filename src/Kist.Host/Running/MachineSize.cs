namespace Kist.Host;

/// <summary>
/// How much memory a guest gets if nothing is said. The image is unpacked into the guest's memory, since nothing outside it
/// is trusted, and the layers lie there too while they are verified.
/// </summary>
public static class MachineSize
{
    /// <summary>Firmware, kernel, agent and room for a small container.</summary>
    private const int BaseMebibytes = 192;

    /// <summary>What a compressed byte takes: itself while verified, and about three unpacked.</summary>
    private const int UnpackFactor = 4;

    private const int SmallestMebibytes = 256;
    private const int StepMebibytes = 64;

    /// <summary>MiB for an image of that compressed size and a container with that limit.</summary>
    public static int Mebibytes(RunRequest request, long compressedBytes)
    {
        if (request.MachineMemoryBytes > 0)
            return (int)Math.Min(request.MachineMemoryBytes >> 20, int.MaxValue);
        var image = (compressedBytes * UnpackFactor) >> 20;
        var wanted = BaseMebibytes + image + (request.MemoryLimitBytes >> 20);
        var rounded = (wanted + StepMebibytes - 1) / StepMebibytes * StepMebibytes;
        return (int)Math.Clamp(rounded, SmallestMebibytes, 1 << 20);
    }
}
