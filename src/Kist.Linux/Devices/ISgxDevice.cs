using Kist.Linux.Enclaves;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Devices;

/// <summary>
/// The requests of /dev/sgx_enclave (arch/x86/include/uapi/asm/sgx.h), magic 0xa4. All structures are little-endian and
/// hold 64-bit fields only.
/// <code>
/// CREATE     0x4008a400   0 8 address of SECS
/// ADD_PAGES  0xc030a401   0 8 source   8 8 offset   16 8 length   24 8 address of SECINFO   32 8 flags (MEASURE 1)   40 8 bytes done
/// INIT       0x4008a402   0 8 address of SIGSTRUCT
/// PROVISION  0x4008a403   0 8 descriptor of /dev/sgx_provision
/// </code>
/// </summary>
public interface ISgxDevice
{
    /// <summary>ECREATE.</summary>
    /// <param name="secs">SECS, 4096 bytes.</param>
    void Create(ReadOnlySpan<byte> secs);

    /// <summary>EADD of pages that lie behind each other, and EEXTEND if they are measured.</summary>
    /// <param name="content">The pages; a multiple of 4096 bytes.</param>
    /// <param name="offset">Where they go, from the enclave's base.</param>
    /// <param name="secInfo">SECINFO, 64 bytes.</param>
    /// <param name="measure">True to measure the content.</param>
    /// <returns>Bytes that were added: fewer than all if the call was interrupted.</returns>
    long AddPages(ReadOnlySpan<byte> content, ulong offset, ReadOnlySpan<byte> secInfo, bool measure);

    /// <summary>Allows the attribute PROVISIONKEY, which takes access to /dev/sgx_provision.</summary>
    void AllowProvisioning(SafeFileHandle provisionDevice);

    /// <summary>EINIT. Returns 0, or the processor's error code (kernels since 5.11 say EPERM in its place).</summary>
    /// <param name="sigstruct">SIGSTRUCT, 1808 bytes.</param>
    int Initialize(ReadOnlySpan<byte> sigstruct);

    /// <summary>Makes pages of the enclave accessible at their addresses; no more than their SECINFO allows.</summary>
    /// <param name="range">The enclave's addresses.</param>
    /// <param name="offset">The first page, from the enclave's base.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="protection">PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4.</param>
    void Map(EnclaveRange range, ulong offset, ulong length, int protection);
}
