using Kist.Formats;

namespace Kist.Attestation.Snp;

/// <summary>
/// TCB_VERSION: the security version of each part of the platform's firmware.
/// <code>
/// byte   Milan, Genoa    Turin           AMD 56860 section 2.2
/// 0      BOOT_LOADER     FMC
/// 1      TEE             BOOT_LOADER
/// 2      reserved        TEE
/// 3      reserved        SNP
/// 4–5    reserved        reserved
/// 6      SNP             reserved
/// 7      MICROCODE       MICROCODE
/// </code>
/// </summary>
/// <param name="Fmc">FMC, of Turin only; null elsewhere.</param>
/// <param name="Bootloader">BOOT_LOADER.</param>
/// <param name="Tee">TEE, the secure processor's operating system.</param>
/// <param name="Snp">SNP firmware.</param>
/// <param name="Microcode">MICROCODE.</param>
public readonly record struct SnpTcbVersion(byte? Fmc, byte Bootloader, byte Tee, byte Snp, byte Microcode)
{
    /// <summary>Size in bytes.</summary>
    public const int Size = 8;

    /// <summary>Reads the eight bytes in the layout of <paramref name="product"/>; reserved bytes are not judged here.</summary>
    public static SnpTcbVersion Parse(ReadOnlySpan<byte> bytes, SnpProduct product)
    {
        if (bytes.Length != Size)
            throw new MalformedDataException("TCB_VERSION", -1, $"it is {bytes.Length} bytes, not {Size}");
        return product == SnpProduct.Turin
            ? new SnpTcbVersion(bytes[0], bytes[1], bytes[2], bytes[3], bytes[7])
            : new SnpTcbVersion(null, bytes[0], bytes[1], bytes[6], bytes[7]);
    }

    /// <summary>Writes the eight bytes; the layout is Turin's if <see cref="Fmc"/> has a value.</summary>
    public void Write(Span<byte> destination)
    {
        destination[..Size].Clear();
        if (Fmc is { } fmc)
        {
            (destination[0], destination[1], destination[2], destination[3]) = (fmc, Bootloader, Tee, Snp);
        }
        else
        {
            (destination[0], destination[1], destination[6]) = (Bootloader, Tee, Snp);
        }

        destination[7] = Microcode;
    }

    /// <summary>True if every part is at least as new as in <paramref name="minimum"/>.</summary>
    public bool IsAtLeast(SnpTcbVersion minimum) =>
        (Fmc ?? 0) >= (minimum.Fmc ?? 0) && Bootloader >= minimum.Bootloader && Tee >= minimum.Tee && Snp >= minimum.Snp
        && Microcode >= minimum.Microcode;

    /// <inheritdoc/>
    public override string ToString() =>
        (Fmc is { } fmc ? $"fmc {fmc}, " : "") + $"bootloader {Bootloader}, tee {Tee}, snp {Snp}, microcode {Microcode}";
}
