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

    private static bool Place(ReadOnlySpan<byte> number, Span<byte> field)
    {
        if (number.Length > field.Length)
            return false;
        field.Clear();
        number.CopyTo(field[(field.Length - number.Length)..]);
        return true;
    }
}
