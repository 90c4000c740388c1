using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Kist.Measurement.Sgx;

/// <summary>
/// Computes MRENCLAVE as the processor does while an enclave is built: ECREATE once, then EADD and EEXTEND in any order
/// that the loader chooses, since the order is part of the measurement.
/// <code>
/// each record is 64 bytes, hashed with SHA-256                                          Intel SDM vol. 3D, 38.19 and 39.3
/// ECREATE  0  8 "ECREATE\0"   8 4 SSAFRAMESIZE (pages)   12 8 SIZE (bytes)   20 44 zero
/// EADD     0  8 "EADD\0\0\0\0"   8 8 offset in the enclave   16 48 first 48 bytes of SECINFO (flags, then zero)
/// EEXTEND  0  8 "EEXTEND\0"   8 8 offset of the chunk   16 48 zero   then the 256 bytes of the chunk
/// </code>
/// </summary>
public sealed class EnclaveMeasurer : IDisposable
{
    /// <summary>Bytes of an EPC page.</summary>
    public const int PageSize = 4096;

    /// <summary>Bytes that one EEXTEND measures.</summary>
    public const int ChunkSize = 256;

    private const int RecordSize = 64;
    private const ulong PermissionBits = 0x7;
    private const ulong PageTypeMask = 0xff00;
    private const ulong PageTypeTcs = 0x100;
    private const ulong PageTypeRegular = 0x200;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ulong _enclaveSize;

    private EnclaveMeasurer(ulong enclaveSize) => _enclaveSize = enclaveSize;

    /// <summary>Starts a measurement: the ECREATE record.</summary>
    /// <param name="enclaveSizeBytes">SECS.SIZE: a power of two of at least two pages.</param>
    /// <param name="ssaFrameSizePages">SECS.SSAFRAMESIZE: pages of one SSA frame, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">ECREATE would fault on these values.</exception>
    public static EnclaveMeasurer Create(ulong enclaveSizeBytes, uint ssaFrameSizePages)
    {
        if (enclaveSizeBytes < 2 * PageSize || !ulong.IsPow2(enclaveSizeBytes))
            throw new ArgumentOutOfRangeException(nameof(enclaveSizeBytes), enclaveSizeBytes, "must be a power of two of at least 8192");
        ArgumentOutOfRangeException.ThrowIfZero(ssaFrameSizePages);

        var measurer = new EnclaveMeasurer(enclaveSizeBytes);
        Span<byte> record = stackalloc byte[RecordSize];
        "ECREATE\0"u8.CopyTo(record);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], ssaFrameSizePages);
        BinaryPrimitives.WriteUInt64LittleEndian(record[12..], enclaveSizeBytes);
        measurer._hash.AppendData(record);
        return measurer;
    }

    /// <summary>The EADD record of one page.</summary>
    /// <param name="offset">Offset of the page from the enclave's base; a multiple of 4096 inside the enclave.</param>
    /// <param name="secInfoFlags">SECINFO.FLAGS: R 1, W 2, X 4, page type in bits 8–15 (TCS 0x100, REG 0x200).</param>
    public void AddPage(ulong offset, ulong secInfoFlags)
    {
        CheckOffset(offset, PageSize);
        var type = secInfoFlags & PageTypeMask;
        if ((secInfoFlags & ~(PermissionBits | PageTypeMask)) != 0 || type is not (PageTypeTcs or PageTypeRegular))
            throw new ArgumentOutOfRangeException(nameof(secInfoFlags), secInfoFlags, "EADD takes R, W, X and the page types TCS and REG");

        Span<byte> record = stackalloc byte[RecordSize];
        "EADD\0\0\0\0"u8.CopyTo(record);
        BinaryPrimitives.WriteUInt64LittleEndian(record[8..], offset);
        BinaryPrimitives.WriteUInt64LittleEndian(record[16..], secInfoFlags);
        _hash.AppendData(record);
    }

    /// <summary>The EEXTEND record of one chunk of a page that was added.</summary>
    /// <param name="offset">Offset of the chunk from the enclave's base; a multiple of 256 inside the enclave.</param>
    /// <param name="chunk">Its 256 bytes.</param>
    public void ExtendChunk(ulong offset, ReadOnlySpan<byte> chunk)
    {
        CheckOffset(offset, ChunkSize);
        ArgumentOutOfRangeException.ThrowIfNotEqual(chunk.Length, ChunkSize, nameof(chunk));

        Span<byte> record = stackalloc byte[RecordSize];
        "EEXTEND\0"u8.CopyTo(record);
        BinaryPrimitives.WriteUInt64LittleEndian(record[8..], offset);
        _hash.AppendData(record);
        _hash.AppendData(chunk);
    }

    /// <summary>
    /// Adds a page and extends all of it, which is what the kernel's SGX_IOC_ENCLAVE_ADD_PAGES does with the flag
    /// SGX_PAGE_MEASURE.
    /// </summary>
    /// <param name="offset">Offset of the page from the enclave's base.</param>
    /// <param name="secInfoFlags">SECINFO.FLAGS.</param>
    /// <param name="page">Its 4096 bytes.</param>
    public void AddMeasuredPage(ulong offset, ulong secInfoFlags, ReadOnlySpan<byte> page)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(page.Length, PageSize, nameof(page));
        AddPage(offset, secInfoFlags);
        for (var chunk = 0; chunk < PageSize; chunk += ChunkSize)
            ExtendChunk(offset + (ulong)chunk, page.Slice(chunk, ChunkSize));
    }

    /// <summary>MRENCLAVE as EINIT would finish it now: 32 bytes. The measurer can be used further.</summary>
    public byte[] MrEnclave() => _hash.GetCurrentHash();

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private void CheckOffset(ulong offset, uint alignment)
    {
        if (offset % alignment != 0 || offset >= _enclaveSize)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"must be a multiple of {alignment} below {_enclaveSize}");
    }
}
