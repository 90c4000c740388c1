namespace Kist.Enclaves.Images;

/// <summary>One page of an enclave as it is added.</summary>
/// <param name="Offset">Offset from the enclave's base, a multiple of 4096.</param>
/// <param name="SecInfoFlags">SECINFO.FLAGS: permissions and page type.</param>
/// <param name="Content">Its 4096 bytes; empty for a page of zeros.</param>
/// <param name="IsMeasured">True if the content goes into the measurement; offset and flags always do.</param>
public readonly record struct EnclavePage(ulong Offset, ulong SecInfoFlags, ReadOnlyMemory<byte> Content, bool IsMeasured);
