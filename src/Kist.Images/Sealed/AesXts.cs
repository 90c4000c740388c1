using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace Kist.Images.Sealed;

/// <summary>
/// AES-256-XTS (IEEE 1619) over sectors of 4096 bytes, the tweak being the sector's number, least significant byte first:
/// what dm-crypt calls aes-xts-plain64 with sector_size:4096 and iv_large_sectors. It hides blocks; it does not
/// authenticate them: dm-verity does. Instances are for one thread.
/// </summary>
public sealed class AesXts : IDisposable
{
    /// <summary>Length of the key: two AES-256 keys.</summary>
    public const int KeySize = 64;

    /// <summary>Bytes of a sector.</summary>
    public const int SectorSize = 4096;

    private const int BlocksPerSector = SectorSize / 16;

    private readonly Aes _data = Aes.Create();
    private readonly Aes _tweak = Aes.Create();
    private readonly byte[] _tweaks = new byte[SectorSize];

    /// <summary>Prepares a key.</summary>
    public AesXts(ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeySize);
        _data.SetKey(key[..32]);
        _tweak.SetKey(key[32..]);
    }

    /// <summary>Encrypts whole sectors in place.</summary>
    /// <param name="sectors">A multiple of 4096 bytes.</param>
    /// <param name="first">Number of the first sector.</param>
    public void Encrypt(Span<byte> sectors, ulong first) => Transform(sectors, first, encrypt: true);

    /// <summary>Decrypts whole sectors in place.</summary>
    public void Decrypt(Span<byte> sectors, ulong first) => Transform(sectors, first, encrypt: false);

    /// <inheritdoc/>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_tweaks);
        _data.Dispose();
        _tweak.Dispose();
    }

    private void Transform(Span<byte> sectors, ulong first, bool encrypt)
    {
        if (sectors.Length % SectorSize != 0)
            throw new ArgumentException("not whole sectors", nameof(sectors));
        for (; !sectors.IsEmpty; sectors = sectors[SectorSize..], first++)
        {
            var sector = sectors[..SectorSize];
            ComputeTweaks(first);
            Xor(sector);
            if (encrypt)
                _data.EncryptEcb(sector, sector, PaddingMode.None);
            else
                _data.DecryptEcb(sector, sector, PaddingMode.None);
            Xor(sector);
        }
    }

    // The encrypted sector number, and its products with powers of x in GF(2^128), x^128 = x^7 + x^2 + x + 1.
    private void ComputeTweaks(ulong sector)
    {
        Span<byte> block = stackalloc byte[16];
        block.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(block, sector);
        _tweak.EncryptEcb(block, block, PaddingMode.None);
        var low = BinaryPrimitives.ReadUInt64LittleEndian(block);
        var high = BinaryPrimitives.ReadUInt64LittleEndian(block[8..]);
        var words = MemoryMarshal.Cast<byte, ulong>(_tweaks.AsSpan());
        for (var i = 0; i < BlocksPerSector; i++)
        {
            words[2 * i] = BitConverter.IsLittleEndian ? low : BinaryPrimitives.ReverseEndianness(low);
            words[2 * i + 1] = BitConverter.IsLittleEndian ? high : BinaryPrimitives.ReverseEndianness(high);
            var carry = (ulong)-(long)(high >> 63) & 0x87;
            high = high << 1 | low >> 63;
            low = low << 1 ^ carry;
        }
    }

    private void Xor(Span<byte> sector)
    {
        ReadOnlySpan<byte> tweaks = _tweaks;
        for (var i = 0; i < SectorSize; i += Vector256<byte>.Count)
            (Vector256.Create((ReadOnlySpan<byte>)sector[i..]) ^ Vector256.Create(tweaks[i..])).CopyTo(sector[i..]);
    }
}
