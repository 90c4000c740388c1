using System.Runtime.Intrinsics;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace Kist.Images.Ocicrypt;

/// <summary>The round keys of AES-256, by the processor's AES instructions, for those who use these themselves.</summary>
static class Aes256KeySchedule
{
    /// <summary>How many round keys there are.</summary>
    public const int RoundKeys = 15;

    /// <summary>FIPS 197, section 5.2, for 256-bit keys: two words of four take turns, each from the last two round keys.</summary>
    public static void Expand(ReadOnlySpan<byte> key, Span<Vector128<byte>> keys)
    {
        keys[0] = Vector128.Create(key[..16]);
        keys[1] = Vector128.Create(key[16..]);
        Even(keys, 2, X86Aes.KeygenAssist(keys[1], 0x01));
        Odd(keys, 3);
        Even(keys, 4, X86Aes.KeygenAssist(keys[3], 0x02));
        Odd(keys, 5);
        Even(keys, 6, X86Aes.KeygenAssist(keys[5], 0x04));
        Odd(keys, 7);
        Even(keys, 8, X86Aes.KeygenAssist(keys[7], 0x08));
        Odd(keys, 9);
        Even(keys, 10, X86Aes.KeygenAssist(keys[9], 0x10));
        Odd(keys, 11);
        Even(keys, 12, X86Aes.KeygenAssist(keys[11], 0x20));
        Odd(keys, 13);
        Even(keys, 14, X86Aes.KeygenAssist(keys[13], 0x40));
    }

    /// <summary>The keys of the equivalent inverse cipher (section 5.3.5), in the order in which it uses them.</summary>
    public static void Invert(ReadOnlySpan<Vector128<byte>> keys, Span<Vector128<byte>> inverse)
    {
        inverse[0] = keys[RoundKeys - 1];
        for (var round = 1; round < RoundKeys - 1; round++)
            inverse[round] = X86Aes.InverseMixColumns(keys[RoundKeys - 1 - round]);
        inverse[RoundKeys - 1] = keys[0];
    }

    /// <summary>Encrypts one block.</summary>
    public static Vector128<byte> Encrypt(ReadOnlySpan<Vector128<byte>> keys, Vector128<byte> block)
    {
        block ^= keys[0];
        for (var round = 1; round < RoundKeys - 1; round++)
            block = X86Aes.Encrypt(block, keys[round]);
        return X86Aes.EncryptLast(block, keys[RoundKeys - 1]);
    }

    private static void Even(Span<Vector128<byte>> keys, int index, Vector128<byte> assist) =>
        keys[index] = RunningXor(keys[index - 2]) ^ Vector128.Create(assist.AsUInt32()[3]).AsByte();

    private static void Odd(Span<Vector128<byte>> keys, int index) =>
        keys[index] = RunningXor(keys[index - 2]) ^ Vector128.Create(X86Aes.KeygenAssist(keys[index - 1], 0).AsUInt32()[2]).AsByte();

    // Each word becomes the xor of itself and all words before it.
    private static Vector128<byte> RunningXor(Vector128<byte> value)
    {
        var words = value.AsUInt32();
        words ^= Vector128.Create(0, words[0], words[1], words[2]);
        words ^= Vector128.Create(0, 0, words[0], words[1]);
        return words.AsByte();
    }
}
