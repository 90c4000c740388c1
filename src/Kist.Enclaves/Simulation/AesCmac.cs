using System.Security.Cryptography;

namespace Kist.Enclaves.Simulation;

/// <summary>AES-CMAC (RFC 4493), the MAC of SGX reports. The BCL has the block cipher, not this mode.</summary>
static class AesCmac
{
    public const int Size = 16;

    private const byte Polynomial = 0x87;

    /// <summary>The 16-byte MAC of a message.</summary>
    /// <param name="key">16 bytes.</param>
    /// <param name="message">Any length.</param>
    public static byte[] Compute(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message)
    {
        using var aes = Aes.Create();
        aes.SetKey(key);
        Span<byte> subkey = stackalloc byte[Size];
        subkey.Clear();
        aes.EncryptEcb(subkey, subkey, PaddingMode.None);
        Double(subkey);

        var wholeBlocks = message.Length == 0 ? 0 : (message.Length - 1) / Size;
        var mac = new byte[Size];
        for (var block = 0; block < wholeBlocks; block++)
        {
            Xor(mac, message.Slice(block * Size, Size));
            aes.EncryptEcb(mac, mac, PaddingMode.None);
        }

        var last = message[(wholeBlocks * Size)..];
        Xor(mac, last);
        if (last.Length < Size)
        {
            mac[last.Length] ^= 0x80;
            Double(subkey);
        }

        Xor(mac, subkey);
        aes.EncryptEcb(mac, mac, PaddingMode.None);
        CryptographicOperations.ZeroMemory(subkey);
        return mac;
    }

    /// <summary>Multiplies by x in GF(2^128), in time that does not depend on the value.</summary>
    private static void Double(Span<byte> block)
    {
        var carry = block[0] >> 7;
        for (var i = 0; i < Size - 1; i++)
            block[i] = (byte)((block[i] << 1) | (block[i + 1] >> 7));
        block[Size - 1] = (byte)((block[Size - 1] << 1) ^ (-carry & Polynomial));
    }

    private static void Xor(Span<byte> target, ReadOnlySpan<byte> value)
    {
        for (var i = 0; i < value.Length; i++)
            target[i] ^= value[i];
    }
}
