using System.Buffers.Text;
using System.Text;

namespace Kist.Attestation;

/// <summary>Text forms in which people keep bytes.</summary>
internal static class TextEncoding
{
    /// <summary>The first byte that is not white space, as a character; NUL if there is none.</summary>
    public static char FirstCharacter(ReadOnlySpan<byte> data)
    {
        var start = data.IndexOfAnyExcept(" \t\r\n"u8);
        return start < 0 ? '\0' : (char)data[start];
    }

    /// <summary>Takes off one layer of hexadecimal (with or without 0x), PEM, base64 or base64url; null data if it is none.</summary>
    public static (string Name, byte[]? Data) TryDecode(ReadOnlySpan<byte> data)
    {
        if (!Ascii.IsValid(data))
            return ("", null);
        var text = Encoding.ASCII.GetString(data).Trim();
        if (text.Length == 0)
            return ("", null);
        if (text.StartsWith("-----BEGIN ", StringComparison.Ordinal))
            return ("PEM", DecodePem(text));
        var compact = string.Concat(text.Where(c => !char.IsWhiteSpace(c))).Trim('"');
        if (DecodeHex(compact) is { } hex)
            return ("hex", hex);
        if (DecodeBase64(compact) is { } base64)
            return ("base64", base64);
        return DecodeBase64Url(compact) is { } url ? ("base64url", url) : ("", null);
    }

    private static byte[]? DecodePem(string text)
    {
        if (!System.Security.Cryptography.PemEncoding.TryFind(text, out var fields))
            return null;
        var bytes = new byte[fields.DecodedDataLength];
        return Convert.TryFromBase64Chars(text.AsSpan()[fields.Base64Data], bytes, out var written) && written == bytes.Length
            ? bytes
            : null;
    }

    private static byte[]? DecodeHex(string text)
    {
        var digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text.AsSpan(2) : text.AsSpan();
        if (digits.Length == 0 || digits.Length % 2 != 0)
            return null;
        foreach (var c in digits)
        {
            if (!char.IsAsciiHexDigit(c))
                return null;
        }

        return Convert.FromHexString(digits);
    }

    private static byte[]? DecodeBase64(string text)
    {
        var bytes = new byte[text.Length / 4 * 3 + 3];
        return Convert.TryFromBase64String(text, bytes, out var written) ? bytes[..written] : null;
    }

    private static byte[]? DecodeBase64Url(string text)
    {
        try
        {
            return Base64Url.DecodeFromChars(text.TrimEnd('='));
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
