namespace Kist.Attestation.Dcap;

/// <summary>Comparison of bit fields under a mask.</summary>
internal static class BitMask
{
    /// <summary>True if <paramref name="value"/> under the mask is exactly <paramref name="expected"/>. All three have one size.</summary>
    public static bool Matches(ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask, ReadOnlySpan<byte> expected)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if ((value[i] & mask[i]) != expected[i])
                return false;
        }

        return true;
    }
}
