using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Kist.Formats.Jose;

/// <summary>AES Key Wrap (RFC 3394), with its default initial value, for keys of 16 to 64 bytes.</summary>
public static class AesKeyWrap
{
    private const ulong InitialValue = 0xA6A6A6A6A6A6A6A6;
    private const int Block = 8;
    private const int Rounds = 6;

    /// <summary>Bytes by which a wrapped key is longer than the key.</summary>
    public const int Overhead = Block;

    /// <summary>Wraps <paramref name="key"/> under <paramref name="wrappingKey"/> (RFC 3394 section 2.2.1).</summary>
    public static byte[] Wrap(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> key)
    {
        if (key.Length is < 16 or > 64 || key.Length % Block != 0)
            throw new ArgumentOutOfRangeException(nameof(key), "a key of 16 to 64 bytes, a multiple of eight, can be wrapped");
        var wrapped = new byte[key.Length + Overhead];
        key.CopyTo(wrapped.AsSpan(Block));
        using var aes = CreateAes(wrappingKey);
        Span<byte> block = stackalloc byte[2 * Block];
        var a = InitialValue;
        var blocks = key.Length / Block;
        for (var j = 0; j < Rounds; j++)
        {
            for (var i = 1; i <= blocks; i++)
            {
                var r = wrapped.AsSpan(i * Block, Block);
                BinaryPrimitives.WriteUInt64BigEndian(block, a);
                r.CopyTo(block[Block..]);
                aes.EncryptEcb(block, block, PaddingMode.None);
                a = BinaryPrimitives.ReadUInt64BigEndian(block) ^ (ulong)((blocks * j) + i);
                block[Block..].CopyTo(r);
            }
        }

        BinaryPrimitives.WriteUInt64BigEndian(wrapped, a);
        CryptographicOperations.ZeroMemory(block);
        return wrapped;
    }

    /// <summary>Unwraps and checks (RFC 3394 section 2.2.2). Null if it was wrapped under another key, or changed.</summary>
    public static SecretBytes? Unwrap(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> wrapped)
    {
        if (wrapped.Length is < 16 + Overhead or > 64 + Overhead || wrapped.Length % Block != 0)
            return null;
        var key = SecretBytes.CopyOf(wrapped[Block..]);
        using var aes = CreateAes(wrappingKey);
        Span<byte> block = stackalloc byte[2 * Block];
        var a = BinaryPrimitives.ReadUInt64BigEndian(wrapped);
        var blocks = key.Length / Block;
        for (var j = Rounds - 1; j >= 0; j--)
        {
            for (var i = blocks; i >= 1; i--)
            {
                var r = key.Span.Slice((i - 1) * Block, Block);
                BinaryPrimitives.WriteUInt64BigEndian(block, a ^ (ulong)((blocks * j) + i));
                r.CopyTo(block[Block..]);
                aes.DecryptEcb(block, block, PaddingMode.None);
                a = BinaryPrimitives.ReadUInt64BigEndian(block);
                block[Block..].CopyTo(r);
            }
        }

        CryptographicOperations.ZeroMemory(block);
        if (a == InitialValue)
            return key;
        key.Dispose();
        return null;
    }

    private static Aes CreateAes(ReadOnlySpan<byte> key)
    {
        var aes = Aes.Create();
        aes.SetKey(key);
        return aes;
    }
}
