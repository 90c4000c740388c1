using Kist.Formats;

namespace Kist.Rego.Builtins;

/// <summary>A token in its compact serialisation (RFC 7519), taken apart and not verified.</summary>
sealed class JwtToken
{
    public const int MaxNesting = 3;
    private const int MaxLength = 1024 * 1024;

    private JwtToken(RegoObject header, string payload, byte[] signature, byte[] signed)
    {
        Header = header;
        PayloadText = payload;
        Signature = signature;
        Signed = signed;
    }

    public RegoObject Header { get; }

    public string PayloadText { get; }

    public byte[] Signature { get; }

    /// <summary>What is signed: the first two parts as they came.</summary>
    public byte[] Signed { get; }

    /// <summary>True if the payload is a token.</summary>
    public bool IsNested => Header["cty"] is RegoString { Value: var type } && type.Equals("JWT", StringComparison.OrdinalIgnoreCase);

    public string? Algorithm => (Header["alg"] as RegoString)?.Value;

    /// <summary>Parses.</summary>
    /// <exception cref="FormatException">The text is no token.</exception>
    public static JwtToken Parse(string text)
    {
        if (text.Length > MaxLength)
            throw new FormatException("encoded JWT is too long");
        if (!text.Contains('.'))
            throw new FormatException("encoded JWT had no period separators");
        var parts = text.Split('.');
        if (parts.Length == 5)
            throw new FormatException("JWT is a JWE object, which is not supported");
        if (parts.Length != 3)
            throw new FormatException($"encoded JWT must have 3 sections, found {parts.Length}");
        var header = ReadObject(EncodingBuiltins.Utf8(EncodingBuiltins.FromBase64Url(parts[0])), "header");
        if (header["enc"] is not null)
            throw new FormatException("JWT is a JWE object, which is not supported");
        return new JwtToken(
            header,
            EncodingBuiltins.Utf8(EncodingBuiltins.FromBase64Url(parts[1])),
            EncodingBuiltins.FromBase64Url(parts[2]),
            EncodingBuiltins.Bytes($"{parts[0]}.{parts[1]}"));
    }

    public RegoObject ReadPayload() => ReadObject(PayloadText, "payload");

    public static RegoObject ReadObject(string json, string what)
    {
        try
        {
            return RegoValue.FromJson(json) as RegoObject ?? throw new FormatException($"JWT {what} is not an object");
        }
        catch (MalformedDataException e)
        {
            throw new FormatException($"JWT {what} had invalid encoding: {e.Message}", e);
        }
    }
}
