using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Kist.Rego.Builtins;

/// <summary>base64, base64url, hex and urlquery.</summary>
static class EncodingBuiltins
{
    private static readonly SearchValues<char> NotBase64Url = SearchValues.Create(" \t\r\n+/");

    public static void Register(Registry table)
    {
        table.Add("base64.encode", 1, (c, a) => c.String(a, 0, out var s) ? c.Text(Convert.ToBase64String(Bytes(s))) : null);
        table.Add("base64.decode", 1, (c, a) => c.String(a, 0, out var s) ? c.Text(Utf8(FromBase64(s))) : null);
        table.Add("base64.is_valid", 1, (c, a) => c.String(a, 0, out var s) ? RegoValue.Of(IsBase64(s)) : null);
        table.Add("base64url.encode", 1, (c, a) => c.String(a, 0, out var s) ? c.Text(ToBase64Url(Bytes(s), padded: true)) : null);
        table.Add("base64url.encode_no_pad", 1, (c, a) => c.String(a, 0, out var s) ? c.Text(ToBase64Url(Bytes(s), padded: false)) : null);
        table.Add("base64url.decode", 1, (c, a) => c.String(a, 0, out var s) ? c.Text(Utf8(FromBase64Url(s))) : null);
        table.Add("hex.encode", 1, (c, a) => c.String(a, 0, out var s) ? c.Text(Convert.ToHexStringLower(Bytes(s))) : null);
        table.Add("hex.decode", 1, (c, a) => c.String(a, 0, out var s) ? c.Text(Utf8(Convert.FromHexString(s))) : null);
        table.Add("urlquery.encode", 1, (c, a) => c.String(a, 0, out var s) ? c.Text(UrlQuery.Encode(s)) : null);
        table.Add("urlquery.decode", 1, (c, a) => c.String(a, 0, out var s) ? c.Text(UrlQuery.Decode(s)) : null);
        table.Add("urlquery.encode_object", 1, EncodeObject);
        table.Add("urlquery.decode_object", 1, DecodeObject);
    }

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>Bytes as text; those that are not UTF-8 become replacement characters, since strings are Unicode here.</summary>
    public static string Utf8(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    public static byte[] FromBase64(string text)
    {
        if (text.AsSpan().IndexOfAny(' ', '\t') >= 0)
            throw new FormatException("illegal base64 data");
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException e)
        {
            throw new FormatException("illegal base64 data", e);
        }
    }

    /// <summary>With or without padding, as OPA reads it.</summary>
    public static byte[] FromBase64Url(string text)
    {
        try
        {
            return text.AsSpan().ContainsAny(NotBase64Url) ? throw new FormatException("illegal base64 data") : Base64Url.DecodeFromChars(text);
        }
        catch (FormatException e)
        {
            throw new FormatException("illegal base64 data", e);
        }
    }

    public static string ToBase64Url(ReadOnlySpan<byte> bytes, bool padded)
    {
        var text = Base64Url.EncodeToString(bytes);
        return padded ? text.PadRight((text.Length + 3) / 4 * 4, '=') : text;
    }

    private static bool IsBase64(string text)
    {
        try
        {
            FromBase64(text);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static RegoValue? EncodeObject(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Object(a, 0, out var o))
            return null;
        var pairs = new List<string>();
        for (var i = 0; i < o.Count; i++)
        {
            if (o.Keys[i] is not RegoString key)
                return c.FailType(0, "string", o.Keys[i]);
            switch (o.Values[i])
            {
                case RegoString one:
                    pairs.Add(Pair(key, one));
                    break;
                case RegoArray or RegoSet:
                    foreach (var (_, item) in Evaluation.Items.Of(o.Values[i]))
                    {
                        if (item is not RegoString s)
                            return c.FailType(0, "string", item);
                        pairs.Add(Pair(key, s));
                    }

                    break;
                default:
                    return c.FailType(0, "{string, array, set}", o.Values[i]);
            }
        }

        return c.Text(string.Join('&', pairs));
    }

    private static string Pair(RegoString key, RegoString value) => $"{UrlQuery.Encode(key.Value)}={UrlQuery.Encode(value.Value)}";

    private static RegoValue? DecodeObject(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var query))
            return null;
        var values = new Dictionary<string, List<RegoValue>>(StringComparer.Ordinal);
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (pair.Contains(';'))
                return c.Fail("invalid semicolon separator in query");
            var parts = pair.Split('=', 2);
            var key = UrlQuery.Decode(parts[0]);
            if (!values.TryGetValue(key, out var list))
                values.Add(key, list = []);
            list.Add(new RegoString(parts.Length > 1 ? UrlQuery.Decode(parts[1]) : ""));
        }

        var result = new RegoObjectBuilder();
        foreach (var (key, list) in values)
            result[new RegoString(key)] = RegoArray.From(list);
        return result.ToObject();
    }
}

/// <summary>Query escaping as Go's net/url does it.</summary>
static class UrlQuery
{
    public static string Encode(string text)
    {
        var result = new StringBuilder();
        foreach (var b in EncodingBuiltins.Bytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'~')
                result.Append((char)b);
            else
                result.Append(b == ' ' ? "+" : $"%{b:X2}");
        }

        return result.ToString();
    }

    public static string Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        var raw = EncodingBuiltins.Bytes(text);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '%')
            {
                bytes.Add(raw[i] == '+' ? (byte)' ' : raw[i]);
                continue;
            }

            if (i + 2 >= raw.Length || !char.IsAsciiHexDigit((char)raw[i + 1]) || !char.IsAsciiHexDigit((char)raw[i + 2]))
                throw new FormatException($"invalid URL escape \"{text.AsSpan()[Math.Min(i, text.Length)..Math.Min(text.Length, i + 3)]}\"");
            bytes.Add(Convert.FromHexString($"{(char)raw[i + 1]}{(char)raw[i + 2]}")[0]);
            i += 2;
        }

        return EncodingBuiltins.Utf8([.. bytes]);
    }
}
