using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Kist.Formats;

/// <summary>
/// JSON Canonicalization Scheme (RFC 8785): the one byte string that stands for a JSON value, which is what gets hashed.
/// Members are sorted by their names' UTF-16 code units, numbers are written as ECMAScript writes them, and only what
/// must be escaped is. Duplicate names, lone surrogates and numbers beyond a double are refused (RFC 7493, I-JSON).
/// </summary>
public static class JsonCanonicalizer
{
    /// <summary>Largest input in bytes.</summary>
    public const int MaxInputBytes = 16 * 1024 * 1024;

    /// <summary>Deepest nesting of arrays and objects.</summary>
    public const int MaxDepth = 64;

    private const string Structure = "JSON to canonicalize";

    /// <summary>Parses UTF-8 JSON text and writes it in canonical form.</summary>
    /// <exception cref="MalformedDataException">Not I-JSON, or beyond a limit.</exception>
    public static byte[] Canonicalize(ReadOnlySpan<byte> utf8Json)
    {
        using var document = StrictJson.Parse(utf8Json, MaxInputBytes, Structure, MaxDepth);
        return Canonicalize(document.RootElement);
    }

    /// <summary>Writes a parsed value in canonical form.</summary>
    /// <exception cref="MalformedDataException">It holds a duplicate name, a lone surrogate or a number beyond a double.</exception>
    public static byte[] Canonicalize(JsonElement value)
    {
        var output = new ArrayBufferWriter<byte>(256);
        try
        {
            WriteValue(output, value, 0);
        }
        catch (InvalidOperationException e)
        {
            // What JsonElement throws for a string that is not Unicode text.
            throw new MalformedDataException(Structure, -1, "a string holds a lone surrogate or invalid UTF-8", e);
        }

        return output.WrittenSpan.ToArray();
    }

    private static void WriteValue(ArrayBufferWriter<byte> output, JsonElement value, int depth)
    {
        if (depth > MaxDepth)
            throw new MalformedDataException(Structure, -1, $"nested deeper than {MaxDepth}");
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(output, value, depth);
                break;
            case JsonValueKind.Array:
                WriteArray(output, value, depth);
                break;
            case JsonValueKind.String:
                WriteString(output, value.GetString()!);
                break;
            case JsonValueKind.Number:
                Ascii(output, EcmaScriptNumber.Format(NumberOf(value)));
                break;
            case JsonValueKind.True:
                output.Write("true"u8);
                break;
            case JsonValueKind.False:
                output.Write("false"u8);
                break;
            case JsonValueKind.Null:
                output.Write("null"u8);
                break;
            default:
                throw new MalformedDataException(Structure, -1, "there is no value");
        }
    }

    private static double NumberOf(JsonElement value) =>
        value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw new MalformedDataException(Structure, -1, "a number is beyond the range of a double");

    private static void WriteArray(ArrayBufferWriter<byte> output, JsonElement value, int depth)
    {
        output.Write("["u8);
        var first = true;
        foreach (var item in value.EnumerateArray())
        {
            if (!first)
                output.Write(","u8);
            first = false;
            WriteValue(output, item, depth + 1);
        }

        output.Write("]"u8);
    }

    private static void WriteObject(ArrayBufferWriter<byte> output, JsonElement value, int depth)
    {
        var members = new List<(string Name, JsonElement Value)>();
        foreach (var member in value.EnumerateObject())
            members.Add((member.Name, member.Value));
        // Ordinal comparison is by UTF-16 code units, as RFC 8785 section 3.2.3 asks; not by code points.
        members.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        output.Write("{"u8);
        for (var i = 0; i < members.Count; i++)
        {
            if (i > 0)
            {
                if (members[i].Name == members[i - 1].Name)
                    throw new MalformedDataException(Structure, -1, $"the member \"{members[i].Name}\" occurs twice");
                output.Write(","u8);
            }

            WriteString(output, members[i].Name);
            output.Write(":"u8);
            WriteValue(output, members[i].Value, depth + 1);
        }

        output.Write("}"u8);
    }

    private static void WriteString(ArrayBufferWriter<byte> output, string text)
    {
        output.Write("\""u8);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            var escape = rune.Value switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\b' => "\\b",
                '\t' => "\\t",
                '\n' => "\\n",
                '\f' => "\\f",
                '\r' => "\\r",
                < 0x20 => $"\\u{rune.Value:x4}",
                _ => null,
            };
            if (escape is not null)
                Ascii(output, escape);
            else
                output.Write(utf8[..rune.EncodeToUtf8(utf8)]);
        }

        output.Write("\""u8);
    }

    private static void Ascii(ArrayBufferWriter<byte> output, string text) =>
        output.Advance(Encoding.ASCII.GetBytes(text, output.GetSpan(text.Length)));
}
