using Kist.Formats;

namespace Kist.Attestation.X509;

/// <summary>ECDSA-Sig-Value (RFC 3279 §2.2.3): SEQUENCE { r INTEGER, s INTEGER }, in strict DER.</summary>
internal static class EcdsaSignature
{
    /// <summary>
    /// Reads r and s into the two halves of <paramref name="rs"/>, most significant byte first. False if the bytes are not
    /// such a structure or a number is too large.
    /// </summary>
    public static bool TryReadDer(ReadOnlySpan<byte> signature, Span<byte> rs)
    {
        try
        {
            var outer = new DerCursor(signature, "ECDSA signature");
            var sequence = outer.ReadSequence("ECDSA signature");
            outer.ExpectEnd();
            var half = rs.Length / 2;
            var fits = Place(sequence.ReadUnsigned("r"), rs[..half]);
            fits &= Place(sequence.ReadUnsigned("s"), rs[half..]);
            sequence.ExpectEnd();
            return fits;
        }
        catch (MalformedDataException)
        {
            return false;
        }
    }

    /// <summary>Size of the largest structure, for P-521.</summary>
    public const int MaxDerSize = 3 + (2 * (2 + 67));

    /// <summary>Writes r and s, the two halves of <paramref name="rs"/>, as the structure; returns its size.</summary>
    public static int WriteDer(ReadOnlySpan<byte> rs, Span<byte> der)
    {
        var half = rs.Length / 2;
        var r = Number(rs[..half]);
        var s = Number(rs[half..]);
        var length = 4 + Size(r) + Size(s);
        var position = 0;
        der[position++] = DerTag.Sequence;
        if (length >= 0x80)
            der[position++] = 0x81;
        der[position++] = (byte)length;
        position += WriteNumber(r, der[position..]);
        return position + WriteNumber(s, der[position..]);
    }

    /// <summary>The number without leading zeros; empty for zero.</summary>
    private static ReadOnlySpan<byte> Number(ReadOnlySpan<byte> field)
    {
        var start = field.IndexOfAnyExcept((byte)0);
        return start < 0 ? [] : field[start..];
    }

    /// <summary>Size of the contents: a zero byte goes before a number that would look negative, and stands for zero.</summary>
    private static int Size(ReadOnlySpan<byte> number) => number.Length + (number.IsEmpty || number[0] >= 0x80 ? 1 : 0);

    private static int WriteNumber(ReadOnlySpan<byte> number, Span<byte> der)
    {
        var size = Size(number);
        der[0] = DerTag.Integer;
        der[1] = (byte)size;
        der[2] = 0;
        number.CopyTo(der[(2 + size - number.Length)..]);
        return 2 + size;
    }

    private static bool Place(ReadOnlySpan<byte> number, Span<byte> field)
    {
        if (number.Length > field.Length)
            return false;
        field.Clear();
        number.CopyTo(field[(field.Length - number.Length)..]);
        return true;
    }
}
