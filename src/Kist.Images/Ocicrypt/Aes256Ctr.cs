using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// AES-256 in counter mode (NIST SP 800-38A, section 6.5), the counter being all 16 bytes of the nonce, most significant
/// byte first. .NET has no counter mode. On x86 the processor's AES instructions run on eight blocks at a time; elsewhere
/// the keystream is the library's ECB encryption of the counters.
/// </summary>
public sealed class Aes256Ctr : IDisposable
{
    /// <summary>Length of the key.</summary>
    public const int KeySize = 32;

    /// <summary>Length of the first counter block.</summary>
    public const int NonceSize = 16;

    private const int BlockSize = 16;
    private const int Lanes = 8;
    private const int EcbChunk = 16 * 1024;

    private readonly UInt128 _firstCounter;
    private readonly byte[] _roundKeys;
    private readonly Aes? _library;

    /// <summary>Prepares a key.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="nonce">16 bytes: the first counter.</param>
    public Aes256Ctr(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce)
        : this(key, nonce, X86Aes.IsSupported)
    {
    }

    internal Aes256Ctr(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, bool useInstructions)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeySize);
        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, NonceSize);
        _firstCounter = BinaryPrimitives.ReadUInt128BigEndian(nonce);
        _roundKeys = GC.AllocateArray<byte>(15 * BlockSize, pinned: true);
        if (useInstructions)
        {
            Aes256KeySchedule.Expand(key, MemoryMarshal.Cast<byte, Vector128<byte>>(_roundKeys.AsSpan()));
        }
        else
        {
            _library = Aes.Create();
            _library.SetKey(key);
        }
    }

    /// <summary>Encrypts or decrypts, which is the same.</summary>
    /// <param name="source">Input.</param>
    /// <param name="destination">Output of the same length; may be the input.</param>
    /// <param name="offset">Where in the whole text the input begins, in bytes.</param>
    public void Transform(ReadOnlySpan<byte> source, Span<byte> destination, long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, source.Length);
        var counter = _firstCounter + (UInt128)(ulong)(offset / BlockSize);
        var skip = (int)(offset % BlockSize);
        if (skip != 0)
        {
            var head = Math.Min(BlockSize - skip, source.Length);
            TransformPart(source[..head], destination, counter++, skip);
            source = source[head..];
            destination = destination[head..];
        }

        var whole = source.Length & ~(BlockSize - 1);
        if (_library is null)
            TransformBlocks(source[..whole], destination, counter);
        else
            TransformEcb(source[..whole], destination, counter);
        if (whole < source.Length)
            TransformPart(source[whole..], destination[whole..], counter + (UInt128)(uint)(whole / BlockSize), 0);
    }

    /// <summary>Wipes the key.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_roundKeys);
        _library?.Dispose();
    }

    private void TransformPart(ReadOnlySpan<byte> source, Span<byte> destination, UInt128 counter, int skip)
    {
        Span<byte> keystream = stackalloc byte[BlockSize];
        keystream.Clear();
        if (_library is null)
            TransformBlocks(keystream, keystream, counter);
        else
            TransformEcb(keystream, keystream, counter);
        for (var i = 0; i < source.Length; i++)
            destination[i] = (byte)(source[i] ^ keystream[skip + i]);
    }

    private void TransformBlocks(ReadOnlySpan<byte> source, Span<byte> destination, UInt128 counter)
    {
        var keys = MemoryMarshal.Cast<byte, Vector128<byte>>(_roundKeys);
        var input = MemoryMarshal.Cast<byte, Vector128<byte>>(source);
        var output = MemoryMarshal.Cast<byte, Vector128<byte>>(destination);
        var i = 0;
        for (; i + Lanes <= input.Length; i += Lanes, counter += Lanes)
            EightBlocks(keys, input.Slice(i, Lanes), output.Slice(i, Lanes), counter);
        for (; i < input.Length; i++, counter++)
            output[i] = input[i] ^ Aes256KeySchedule.Encrypt(keys, CounterBlock(counter));
    }

    private static void EightBlocks(
        ReadOnlySpan<Vector128<byte>> keys, ReadOnlySpan<Vector128<byte>> input, Span<Vector128<byte>> output, UInt128 counter)
    {
        var key = keys[0];
        var b0 = CounterBlock(counter) ^ key;
        var b1 = CounterBlock(counter + 1) ^ key;
        var b2 = CounterBlock(counter + 2) ^ key;
        var b3 = CounterBlock(counter + 3) ^ key;
        var b4 = CounterBlock(counter + 4) ^ key;
        var b5 = CounterBlock(counter + 5) ^ key;
        var b6 = CounterBlock(counter + 6) ^ key;
        var b7 = CounterBlock(counter + 7) ^ key;
        for (var round = 1; round < 14; round++)
        {
            key = keys[round];
            b0 = X86Aes.Encrypt(b0, key);
            b1 = X86Aes.Encrypt(b1, key);
            b2 = X86Aes.Encrypt(b2, key);
            b3 = X86Aes.Encrypt(b3, key);
            b4 = X86Aes.Encrypt(b4, key);
            b5 = X86Aes.Encrypt(b5, key);
            b6 = X86Aes.Encrypt(b6, key);
            b7 = X86Aes.Encrypt(b7, key);
        }

        key = keys[14];
        // The highest index first: one bounds check serves all.
        output[7] = input[7] ^ X86Aes.EncryptLast(b7, key);
        output[0] = input[0] ^ X86Aes.EncryptLast(b0, key);
        output[1] = input[1] ^ X86Aes.EncryptLast(b1, key);
        output[2] = input[2] ^ X86Aes.EncryptLast(b2, key);
        output[3] = input[3] ^ X86Aes.EncryptLast(b3, key);
        output[4] = input[4] ^ X86Aes.EncryptLast(b4, key);
        output[5] = input[5] ^ X86Aes.EncryptLast(b5, key);
        output[6] = input[6] ^ X86Aes.EncryptLast(b6, key);
    }

    private static Vector128<byte> CounterBlock(UInt128 counter) => Vector128.Create(
        BinaryPrimitives.ReverseEndianness((ulong)(counter >> 64)), BinaryPrimitives.ReverseEndianness((ulong)counter)).AsByte();

    private void TransformEcb(ReadOnlySpan<byte> source, Span<byte> destination, UInt128 counter)
    {
        Span<byte> keystream = stackalloc byte[Math.Min(EcbChunk, source.Length)];
        while (!source.IsEmpty)
        {
            var part = keystream[..Math.Min(keystream.Length, source.Length)];
            for (var i = 0; i < part.Length; i += BlockSize)
                BinaryPrimitives.WriteUInt128BigEndian(part[i..], counter++);
            _library!.EncryptEcb(part, part, PaddingMode.None);
            Xor(source[..part.Length], part, destination);
            source = source[part.Length..];
            destination = destination[part.Length..];
        }

        CryptographicOperations.ZeroMemory(keystream);
    }

    private static void Xor(ReadOnlySpan<byte> source, ReadOnlySpan<byte> keystream, Span<byte> destination)
    {
        var i = 0;
        for (; i + Vector256<byte>.Count <= source.Length; i += Vector256<byte>.Count)
            (Vector256.Create(source[i..]) ^ Vector256.Create(keystream[i..])).CopyTo(destination[i..]);
        for (; i < source.Length; i++)
            destination[i] = (byte)(source[i] ^ keystream[i]);
    }
}
