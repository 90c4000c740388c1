using System.Runtime.Intrinsics;
using Kist.Images.Ocicrypt;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace Kist.Images.Sealed;

// Eight blocks at a time, which keeps the instructions' pipeline full. A sector has a multiple of eight.
public sealed partial class AesXts
{
    private const int Lanes = 8;

    private static (Vector128<byte>[] Encryption, Vector128<byte>[] Decryption) ExpandKeys(ReadOnlySpan<byte> key)
    {
        // Pinned, so that no copies stay behind when the collector moves things.
        var encryption = GC.AllocateArray<Vector128<byte>>(Aes256KeySchedule.RoundKeys, pinned: true);
        var decryption = GC.AllocateArray<Vector128<byte>>(Aes256KeySchedule.RoundKeys, pinned: true);
        Aes256KeySchedule.Expand(key, encryption);
        Aes256KeySchedule.Invert(encryption, decryption);
        return (encryption, decryption);
    }

    private void TransformByInstructions(ReadOnlySpan<Vector128<byte>> source, Span<Vector128<byte>> destination, Vector128<byte> number, bool encrypt)
    {
        var tweak = Aes256KeySchedule.Encrypt(_tweaking, number);
        Span<Vector128<byte>> tweaks = stackalloc Vector128<byte>[Lanes];
        for (; !source.IsEmpty; source = source[Lanes..], destination = destination[Lanes..])
        {
            for (var i = 0; i < Lanes; i++, tweak = Double(tweak))
                tweaks[i] = tweak;
            if (encrypt)
                EightBlocks<Encryption>(_encryption, source[..Lanes], destination[..Lanes], tweaks);
            else
                EightBlocks<Decryption>(_decryption, source[..Lanes], destination[..Lanes], tweaks);
        }
    }

    // The product with x: every word is shifted and takes the bit that the word below lost; what the highest lost comes back
    // as x^7 + x^2 + x + 1.
    private static Vector128<byte> Double(Vector128<byte> value)
    {
        var words = value.AsInt32();
        var lost = Vector128.ShiftRightArithmetic(Vector128.Shuffle(words, Vector128.Create(3, 0, 1, 2)), 31);
        return ((words << 1) ^ (lost & Vector128.Create(0x87, 1, 1, 1))).AsByte();
    }

    private static void EightBlocks<TDirection>(
        ReadOnlySpan<Vector128<byte>> keys, ReadOnlySpan<Vector128<byte>> blocks, Span<Vector128<byte>> output, ReadOnlySpan<Vector128<byte>> tweaks)
        where TDirection : struct, IDirection
    {
        // The highest index first: one bounds check serves all.
        var last = keys[Aes256KeySchedule.RoundKeys - 1];
        var key = keys[0];
        var b7 = blocks[7] ^ tweaks[7] ^ key;
        var (b0, b1, b2) = (blocks[0] ^ tweaks[0] ^ key, blocks[1] ^ tweaks[1] ^ key, blocks[2] ^ tweaks[2] ^ key);
        var (b3, b4, b5, b6) = (blocks[3] ^ tweaks[3] ^ key, blocks[4] ^ tweaks[4] ^ key, blocks[5] ^ tweaks[5] ^ key, blocks[6] ^ tweaks[6] ^ key);
        for (var round = 1; round < Aes256KeySchedule.RoundKeys - 1; round++)
        {
            key = keys[round];
            b0 = TDirection.Round(b0, key);
            b1 = TDirection.Round(b1, key);
            b2 = TDirection.Round(b2, key);
            b3 = TDirection.Round(b3, key);
            b4 = TDirection.Round(b4, key);
            b5 = TDirection.Round(b5, key);
            b6 = TDirection.Round(b6, key);
            b7 = TDirection.Round(b7, key);
        }

        output[7] = TDirection.Last(b7, last) ^ tweaks[7];
        output[0] = TDirection.Last(b0, last) ^ tweaks[0];
        output[1] = TDirection.Last(b1, last) ^ tweaks[1];
        output[2] = TDirection.Last(b2, last) ^ tweaks[2];
        output[3] = TDirection.Last(b3, last) ^ tweaks[3];
        output[4] = TDirection.Last(b4, last) ^ tweaks[4];
        output[5] = TDirection.Last(b5, last) ^ tweaks[5];
        output[6] = TDirection.Last(b6, last) ^ tweaks[6];
    }

    private interface IDirection
    {
        static abstract Vector128<byte> Round(Vector128<byte> block, Vector128<byte> key);

        static abstract Vector128<byte> Last(Vector128<byte> block, Vector128<byte> key);
    }

    private readonly struct Encryption : IDirection
    {
        public static Vector128<byte> Round(Vector128<byte> block, Vector128<byte> key) => X86Aes.Encrypt(block, key);

        public static Vector128<byte> Last(Vector128<byte> block, Vector128<byte> key) => X86Aes.EncryptLast(block, key);
    }

    private readonly struct Decryption : IDirection
    {
        public static Vector128<byte> Round(Vector128<byte> block, Vector128<byte> key) => X86Aes.Decrypt(block, key);

        public static Vector128<byte> Last(Vector128<byte> block, Vector128<byte> key) => X86Aes.DecryptLast(block, key);
    }
}
