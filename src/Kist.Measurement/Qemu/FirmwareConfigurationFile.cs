namespace Kist.Measurement.Qemu;

/// <summary>One file of QEMU's firmware configuration device.</summary>
/// <param name="Key">Its selector.</param>
/// <param name="Size">Its size in bytes.</param>
readonly record struct FirmwareConfigurationFile(ushort Key, uint Size);
