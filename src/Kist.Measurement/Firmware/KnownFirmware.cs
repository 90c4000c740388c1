using System.Collections.Frozen;

namespace Kist.Measurement.Firmware;

/// <summary>
/// What was found out about firmware images that cannot be seen in their tables, by their SHA-256. The drivers of an image
/// lie in a compressed volume; these were unpacked and searched for OVMF's driver that measures into RTMRs (TdTcg2Dxe).
/// </summary>
static class KnownFirmware
{
    /// <summary>What is wrong with an image that <see cref="LacksMeasurement"/>.</summary>
    public const string Reason =
        "it has no driver that measures into RTMRs (TdTcg2Dxe), so on hardware they would stay zero; use firmware built for TDX (package ovmf-inteltdx)";

    private static readonly FrozenSet<string> WithoutMeasurement = FrozenSet.Create(
        StringComparer.Ordinal,
        // Debian bookworm, ovmf 2022.11-6+deb12u2, OVMF.fd
        "7b456907dd0786d415999e801a1ac4637b8ed4d7cf5378cfc6edbe5e574dd773",
        // Debian sid, ovmf-amdsev 2026.08+ds-2, OVMF.amdsev.fd
        "3e4fd0b3fe3b2dbe481c3d9e99418a034174f26cbe1f55aa212b0f18c12d2d6f");

    /// <summary>True if this image is known to measure nothing into RTMRs; false says nothing.</summary>
    public static bool LacksMeasurement(OvmfImage image) => WithoutMeasurement.Contains(HashValue.Sha256(image.Bytes.Span).ToString());
}
