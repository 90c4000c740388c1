using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace Kist.Images.Sealed;

/// <summary>
/// AES-256-XTS (IEEE 1619) over sectors of 4096 bytes, the tweak being the sector's number, least significant byte first:
/// what dm-crypt calls aes-xts-plain64 with sector_size:4096 and iv_large_sectors. It hides blocks; it does not
/// authenticate them: dm-verity does. .NET has no XTS: on x86 the processor's AES instructions run on eight blocks at a time;
/// elsewhere the library encrypts a sector between two xors. Instances are for one thread.
/// </summary>
public sealed partial class AesXts : IDisposable
{
    /// <summary>Length of the key: two AES-256 keys.</summary>
    public const int KeySize = 64;

    /// <summary>Bytes of a sector.</summary>
    public const int SectorSize = 4096;

    private const int BlocksPerSector = SectorSize / 16;

    private readonly Aes _data = Aes.Create();
    private readonly Aes _tweak = Aes.Create();
    private readonly byte[] _tweaks = new byte[SectorSize];
    private readonly Vector128<byte>[]? _encryption;
    private readonly Vector128<byte>[]? _decryption;
    private readonly Vector128<byte>[]? _tweaking;

    /// <summary>Prepares a key.</summary>
    public AesXts(ReadOnlySpan<byte> key)
        : this(key, X86Aes.IsSupported)
    {
    }

    internal AesXts(ReadOnlySpan<byte> key, bool useInstructions)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeySize);
        _data.SetKey(key[..32]);
        _tweak.SetKey(key[32..]);
        if (useInstructions)
        {
            (_encryption, _decryption) = ExpandKeys(key[..32]);
            (_tweaking, _) = ExpandKeys(key[32..]);
        }
    }

    /// <summary>Encrypts whole sectors in place.</summary>
    /// <param name="sectors">A multiple of 4096 bytes.</param>
    /// <param name="first">Number of the first sector.</param>
    public void Encrypt(Span<byte> sectors, ulong first) => Transform(sectors, sectors, first, encrypt: true);

    /// <summary>Encrypts whole sectors.</summary>
    /// <param name="source">A multiple of 4096 bytes.</param>
    /// <param name="destination">As many bytes; not a part of the source, unless it is the same.</param>
    /// <param name="first">Number of the first sector.</param>
    public void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ulong first) => Transform(source, destination, first, encrypt: true);

    /// <summary>Decrypts whole sectors in place.</summary>
    public void Decrypt(Span<byte> sectors, ulong first) => Transform(sectors, sectors, first, encrypt: false);

    /// <inheritdoc/>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_tweaks);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_encryption.AsSpan()));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_decryption.AsSpan()));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_tweaking.AsSpan()));
        _data.Dispose();
        _tweak.Dispose();
    }

    private void Transform(ReadOnlySpan<byte> source, Span<byte> destination, ulong first, bool encrypt)
    {
        if (source.Length % SectorSize != 0 || destination.Length != source.Length)
            throw new ArgumentException("not whole sectors", nameof(source));
        Span<byte> tweak = stackalloc byte[16];
        for (; !source.IsEmpty; source = source[SectorSize..], destination = destination[SectorSize..], first++)
        {
            tweak.Clear();
            BinaryPrimitives.WriteUInt64LittleEndian(tweak, first);
            if (_encryption is null)
            {
                source[..SectorSize].CopyTo(destination);
                TransformByLibrary(destination[..SectorSize], tweak, encrypt);
            }
            else
            {
                TransformByInstructions(
                    MemoryMarshal.Cast<byte, Vector128<byte>>(source[..SectorSize]), MemoryMarshal.Cast<byte, Vector128<byte>>(destination[..SectorSize]),
                    Vector128.Create((ReadOnlySpan<byte>)tweak), encrypt);
            }
        }
    }

    private void TransformByLibrary(Span<byte> sector, Span<byte> tweak, bool encrypt)
    {
        _tweak.EncryptEcb(tweak, tweak, PaddingMode.None);
        ComputeTweaks(tweak);
        Xor(sector);
        if (encrypt)
            _data.EncryptEcb(sector, sector, PaddingMode.None);
        else
            _data.DecryptEcb(sector, sector, PaddingMode.None);
        Xor(sector);
    }

    // The encrypted sector number, and its products with powers of x in GF(2^128), x^128 = x^7 + x^2 + x + 1.
    private void ComputeTweaks(ReadOnlySpan<byte> first)
    {
        var low = BinaryPrimitives.ReadUInt64LittleEndian(first);
        var high = BinaryPrimitives.ReadUInt64LittleEndian(first[8..]);
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
