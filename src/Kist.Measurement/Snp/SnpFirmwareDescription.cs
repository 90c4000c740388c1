using System.Collections.Immutable;
using Kist.Measurement.Firmware;

namespace Kist.Measurement.Snp;

/// <summary>What the launch digest takes from a firmware: enough to predict digests without its image.</summary>
/// <param name="Digest">The launch digest after all pages of the image, 48 bytes ("OVMF hash").</param>
/// <param name="Sections">The sections of its SEV metadata in file order.</param>
/// <param name="HashTableAddress">Address of the hashes table; null if it checks no kernel.</param>
/// <param name="ResetAddress">Where further processors start; null if there is no reset block.</param>
public sealed record SnpFirmwareDescription(
    HashValue Digest, ImmutableArray<SevSection> Sections, uint? HashTableAddress, uint? ResetAddress)
{
    private const ulong FourGiB = 1UL << 32;

    /// <summary>Where an image of this size lies: it ends at 4 GiB.</summary>
    public static ulong AddressOf(OvmfImage firmware) => FourGiB - (ulong)firmware.Bytes.Length;

    /// <summary>The description of an image.</summary>
    public static SnpFirmwareDescription Of(OvmfImage firmware)
    {
        var digest = new SnpLaunchDigest();
        digest.UpdateNormal(AddressOf(firmware), firmware.Bytes.Span);
        return new SnpFirmwareDescription(
            digest.Value, firmware.ReadSevSections(), firmware.ReadSevHashTableAddress(), firmware.ReadSevEsResetAddress());
    }
}
