using System.Buffers.Binary;

namespace Kist.Enclaves.Sgx;

/// <summary>
/// ATTRIBUTES: what an enclave may do, and which processor state is saved for it.
/// <code>
///  0  8  FLAGS      Intel SDM vol. 3D, 36.7.1
///  8  8  XFRM       as XCR0; bits 0 and 1 (x87, SSE) are always set in an enclave
/// </code>
/// </summary>
/// <param name="Flags">What the enclave may do.</param>
/// <param name="Xfrm">Processor state that is saved, as in XCR0.</param>
public readonly record struct SgxAttributes(EnclaveTraits Flags, ulong Xfrm)
{
    /// <summary>Bytes of the structure.</summary>
    public const int Size = 16;

    /// <summary>XFRM with the legacy state (x87 and SSE) only.</summary>
    public const ulong LegacyXfrm = 3;

    /// <summary>True if a debugger may look into the enclave.</summary>
    public bool IsDebug => Flags.HasFlag(EnclaveTraits.Debug);

    /// <summary>Reads the 16 bytes.</summary>
    public static SgxAttributes Read(ReadOnlySpan<byte> source) => new(
        (EnclaveTraits)BinaryPrimitives.ReadUInt64LittleEndian(source),
        BinaryPrimitives.ReadUInt64LittleEndian(source[8..]));

    /// <summary>Writes the 16 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, (ulong)Flags);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], Xfrm);
    }

    /// <summary>The bits that are set both here and in <paramref name="mask"/>.</summary>
    public SgxAttributes And(SgxAttributes mask) => new(Flags & mask.Flags, Xfrm & mask.Xfrm);

    /// <inheritdoc/>
    public override string ToString() => $"flags 0x{(ulong)Flags:x} ({Flags}), xfrm 0x{Xfrm:x}";
}
