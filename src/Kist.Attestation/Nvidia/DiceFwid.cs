using Kist.Attestation.X509;

namespace Kist.Attestation.Nvidia;

/// <summary>
/// The firmware digest (FWID) in a DICE certificate: {hashAlg OBJECT IDENTIFIER, digest OCTET STRING} inside the extension
/// 2.23.133.5.4.1 (as Hopper and its switches write it) or 2.23.133.5.4.1.1 (DiceTcbInfo, as Blackwell does).
/// </summary>
internal static class DiceFwid
{
    private const int Size = 48;

    private static ReadOnlySpan<byte> Older => [0x67, 0x81, 0x05, 0x05, 0x04, 0x01];

    private static ReadOnlySpan<byte> TcbInfo => [0x67, 0x81, 0x05, 0x05, 0x04, 0x01, 0x01];

    // id-sha384, and the header of an OCTET STRING of 48 bytes.
    private static ReadOnlySpan<byte> Sha384Fwid => [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x04, 0x30];

    /// <summary>
    /// Every SHA-384 firmware digest of the extension, but those that are all zero, which Blackwell writes for layers that
    /// it has not; none if there is no such extension.
    /// </summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Find(Certificate certificate)
    {
        var found = new List<ReadOnlyMemory<byte>>();
        var rest = (certificate.Find(Older) ?? certificate.Find(TcbInfo))?.Value ?? default;
        while (rest.Span.IndexOf(Sha384Fwid) is var start and >= 0 && rest.Length - start - Sha384Fwid.Length >= Size)
        {
            var digest = rest.Slice(start + Sha384Fwid.Length, Size);
            if (digest.Span.IndexOfAnyExcept((byte)0) >= 0)
                found.Add(digest);
            rest = rest[(start + Sha384Fwid.Length + Size)..];
        }

        return found;
    }
}
