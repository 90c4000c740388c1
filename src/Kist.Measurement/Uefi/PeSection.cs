namespace Kist.Measurement.Uefi;

/// <summary>One section of a PE image.</summary>
/// <param name="Name">Its name, such as ".text"; at most 8 characters.</param>
/// <param name="VirtualSize">Bytes that it has in memory.</param>
/// <param name="RawDataOffset">Where its bytes start in the file.</param>
/// <param name="RawDataSize">How many bytes the file holds, rounded up to the file alignment.</param>
public sealed record PeSection(string Name, uint VirtualSize, uint RawDataOffset, uint RawDataSize);
