using System.Buffers;

namespace Kist.Formats;

/// <summary>
/// Base64url as JOSE uses it (RFC 7515 section 2): no padding, no white space, and one spelling for each value, so that
/// bits past the last byte must be zero. The library's own decoder accepts all of those.
/// </summary>
public static class Base64Url
{
    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>Encodes without padding.</summary>
    public static string Encode(ReadOnlySpan<byte> data) => System.Buffers.Text.Base64Url.EncodeToString(data);

    /// <summary>Number of bytes that <paramref name="length"/> characters stand for.</summary>
    public static int DecodedLength(int length) => (int)((long)length * 3 / 4);

    /// <summary>Decodes into a new array.</summary>
    /// <param name="text">The characters.</param>
    /// <param name="maxBytes">Refused if longer than this, before anything is allocated.</param>
    /// <param name="structure">What it is, for the error.</param>
    /// <exception cref="MalformedDataException">Not strict base64url, or too long.</exception>
    public static byte[] Decode(ReadOnlySpan<char> text, int maxBytes, string structure)
    {
        var length = Validate(text, maxBytes, structure);
        var bytes = new byte[length];
        System.Buffers.Text.Base64Url.DecodeFromChars(text, bytes);
        return bytes;
    }

    /// <summary>Decodes a value that must have exactly <paramref name="length"/> bytes.</summary>
    /// <exception cref="MalformedDataException">Not strict base64url, or of another length.</exception>
    public static byte[] DecodeExact(ReadOnlySpan<char> text, int length, string structure)
    {
        var bytes = Decode(text, length, structure);
        if (bytes.Length != length)
            throw new MalformedDataException(structure, -1, $"{length} bytes are needed but it has {bytes.Length}");
        return bytes;
    }

    /// <summary>Decodes into a buffer that is zeroed when disposed.</summary>
    /// <exception cref="MalformedDataException">Not strict base64url, or too long.</exception>
    public static SecretBytes DecodeSecret(ReadOnlySpan<char> text, int maxBytes, string structure)
    {
        var secret = new SecretBytes(Validate(text, maxBytes, structure));
        System.Buffers.Text.Base64Url.DecodeFromChars(text, secret.Span);
        return secret;
    }

    private static int Validate(ReadOnlySpan<char> text, int maxBytes, string structure)
    {
        var length = DecodedLength(text.Length);
        if (length > maxBytes)
            throw new MalformedDataException(structure, -1, $"it stands for {length} bytes, more than the limit of {maxBytes}");
        var wrong = text.IndexOfAnyExcept(Alphabet);
        if (wrong >= 0)
            throw new MalformedDataException(structure, wrong, "a character is not in the base64url alphabet");
        var unusedBits = (text.Length % 4) switch
        {
            0 => 0,
            2 => 0b1111,
            3 => 0b11,
            _ => throw new MalformedDataException(structure, text.Length, "no byte string has a base64url text of this length"),
        };
        if (unusedBits != 0 && (ValueOf(text[^1]) & unusedBits) != 0)
            throw new MalformedDataException(structure, text.Length - 1, "bits past the last byte are not zero");
        return length;
    }

    private static int ValueOf(char c) => c switch
    {
        >= 'A' and <= 'Z' => c - 'A',
        >= 'a' and <= 'z' => c - 'a' + 26,
        >= '0' and <= '9' => c - '0' + 52,
        '-' => 62,
        _ => 63,
    };
}
