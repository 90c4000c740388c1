namespace Kist.Attestation.X509;

/// <summary>
/// Keeps the outcome of checking one immutable object's signature with the last key that was asked for, by that key's exact
/// bytes. Safe for concurrent use: at worst a signature is checked twice.
/// </summary>
internal sealed class SignatureMemory
{
    private Entry? _last;

    /// <summary>The kept outcome for this key, or that of <paramref name="verify"/>, which is then kept.</summary>
    public bool Check(ReadOnlyMemory<byte> subjectPublicKeyInfo, Func<bool> verify)
    {
        var last = Volatile.Read(ref _last);
        if (last is not null && last.Key.Span.SequenceEqual(subjectPublicKeyInfo.Span))
            return last.Holds;
        var holds = verify();
        Volatile.Write(ref _last, new Entry(subjectPublicKeyInfo, holds));
        return holds;
    }

    private sealed record Entry(ReadOnlyMemory<byte> Key, bool Holds);
}
