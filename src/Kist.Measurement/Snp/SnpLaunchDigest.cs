using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Kist.Measurement.Snp;

/// <summary>
/// The launch digest of SEV-SNP while it grows page by page: LD = SHA-384(PAGE_INFO), from 48 zero bytes.
/// <code>
/// PAGE_INFO   0x00 48 LD so far      0x30 48 CONTENTS: SHA-384 of the page, or zeros     0x60 2 length 0x70
///             0x62  1 page type      0x63  1 IMI page 0     0x64 3 VMPL3–1 permissions 0     0x67 1 zero
///             0x68  8 guest-physical address                                              SNP ABI 8.17.2, table 67
/// </code>
/// </summary>
public sealed class SnpLaunchDigest
{
    /// <summary>Bytes of the digest.</summary>
    public const int Size = 48;

    /// <summary>The address under which save areas are measured.</summary>
    public const ulong VmsaAddress = 0xfffffffff000;

    private const int PageSize = 4096;
    private const int PageInfoSize = 0x70;

    // The digest so far is the first 48 bytes of the record that is hashed next.
    private readonly byte[] _pageInfo = new byte[PageInfoSize];

    /// <summary>An empty digest.</summary>
    public SnpLaunchDigest() => BinaryPrimitives.WriteUInt16LittleEndian(_pageInfo.AsSpan(0x60), PageInfoSize);

    /// <summary>A digest that was computed so far elsewhere, such as that of a published firmware.</summary>
    public SnpLaunchDigest(HashValue start)
        : this()
    {
        if (start.Length != Size)
            throw new ArgumentException($"a launch digest has {Size} bytes, not {start.Length}", nameof(start));
        start.Span.CopyTo(_pageInfo);
    }

    /// <summary>The digest so far.</summary>
    public HashValue Value => new(_pageInfo.AsSpan(0, Size));

    /// <summary>Measures a page by the digest of its content.</summary>
    /// <param name="type">The kind of page.</param>
    /// <param name="address">Its guest-physical address.</param>
    /// <param name="contents">48 bytes; empty for kinds whose content does not count.</param>
    public void Update(SnpPageType type, ulong address, ReadOnlySpan<byte> contents = default)
    {
        var field = _pageInfo.AsSpan(0x30, Size);
        if (contents.IsEmpty)
            field.Clear();
        else
            contents.CopyTo(field);
        _pageInfo[0x62] = (byte)type;
        BinaryPrimitives.WriteUInt64LittleEndian(_pageInfo.AsSpan(0x68), address);
        // The hash is finished before its result replaces the beginning of its input.
        Span<byte> digest = stackalloc byte[Size];
        SHA384.HashData(_pageInfo, digest);
        digest.CopyTo(_pageInfo);
    }

    /// <summary>Measures pages with content, one after the other.</summary>
    /// <param name="address">Guest-physical address of the first.</param>
    /// <param name="pages">Whole pages.</param>
    public void UpdateNormal(ulong address, ReadOnlySpan<byte> pages)
    {
        if (pages.Length % PageSize != 0)
            throw LaunchNotPossible.Because("firmware", $"{pages.Length} bytes are not whole pages of {PageSize}");
        Span<byte> contents = stackalloc byte[Size];
        for (var offset = 0; offset < pages.Length; offset += PageSize)
        {
            SHA384.HashData(pages.Slice(offset, PageSize), contents);
            Update(SnpPageType.Normal, address + (ulong)offset, contents);
        }
    }

    /// <summary>Measures pages whose content does not count, one after the other.</summary>
    public void UpdateWithoutContent(SnpPageType type, ulong address, ulong size)
    {
        for (ulong offset = 0; offset < size; offset += PageSize)
            Update(type, address + offset);
    }
}
