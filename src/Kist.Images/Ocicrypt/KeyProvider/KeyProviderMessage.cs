using System.Text.Json;
using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// The JSON of ocicrypt's key provider protocol (ocicrypt docs/keyprovider.md), the same by gRPC, by ttrpc and on the
/// standard input of a program. Go writes byte strings as base64, Rust as arrays of numbers and reads only those; so both
/// are read, and arrays are written.
/// </summary>
static class KeyProviderMessage
{
    public const int MaxBytes = 1024 * 1024;
    private const string Structure = "key provider message";

    /// <summary>Reads a request.</summary>
    public static KeyProviderRequest ParseRequest(ReadOnlySpan<byte> json)
    {
        using var document = StrictJson.ParseObject(json, MaxBytes, Structure, maxDepth: 16);
        var root = document.RootElement;
        return StrictJson.RequiredText(root, "op", Structure) switch
        {
            "keywrap" => new KeyProviderRequest(
                IsWrap: true, BytesOf(Member(root, "keywrapparams"), "optsdata"), Parameters(Member(Member(root, "keywrapparams"), "ec"))),
            "keyunwrap" => new KeyProviderRequest(
                IsWrap: false, BytesOf(Member(root, "keyunwrapparams"), "annotation"), Parameters(Member(Member(root, "keyunwrapparams"), "dc"))),
            var op => throw new MalformedDataException(Structure, -1, $"the operation '{op}' is not known"),
        };
    }

    /// <summary>Writes the answer to a request.</summary>
    public static byte[] WriteAnswer(bool isWrap, ReadOnlySpan<byte> data)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject(isWrap ? "keywrapresults" : "keyunwrapresults");
            writer.WriteStartArray(isWrap ? "annotation" : "optsdata");
            foreach (var b in data)
                writer.WriteNumberValue(b);
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>Writes a request.</summary>
    public static byte[] WriteRequest(bool isWrap, ReadOnlySpan<byte> data, string provider, IReadOnlyList<string> parameters)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("op", isWrap ? "keywrap" : "keyunwrap");
            writer.WriteStartObject(isWrap ? "keywrapparams" : "keyunwrapparams");
            writer.WriteStartObject(isWrap ? "ec" : "dc");
            writer.WriteStartObject("Parameters");
            writer.WriteStartArray(provider);
            foreach (var parameter in parameters)
                writer.WriteBase64StringValue(System.Text.Encoding.UTF8.GetBytes(parameter));
            writer.WriteEndArray();
            writer.WriteEndObject();
            if (isWrap)
            {
                writer.WriteStartObject("DecryptConfig");
                writer.WriteStartObject("Parameters");
                writer.WriteEndObject();
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
            writer.WriteBase64String(isWrap ? "optsdata" : "annotation", data);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>Reads the answer to a request.</summary>
    public static byte[] ParseAnswer(bool isWrap, ReadOnlySpan<byte> json)
    {
        using var document = StrictJson.ParseObject(json, MaxBytes, Structure, maxDepth: 16);
        return BytesOf(Member(document.RootElement, isWrap ? "keywrapresults" : "keyunwrapresults"), isWrap ? "annotation" : "optsdata");
    }

    private static JsonElement Member(JsonElement json, string name) =>
        json.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Object
            ? member
            : throw new MalformedDataException(Structure, -1, $"the object '{name}' is missing");

    private static List<(string Provider, string Parameter)> Parameters(JsonElement configuration)
    {
        var list = new List<(string, string)>();
        if (!configuration.TryGetProperty("Parameters", out var parameters) || parameters.ValueKind != JsonValueKind.Object)
            return list;
        foreach (var provider in parameters.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Array))
        {
            foreach (var value in provider.Value.EnumerateArray())
                list.Add((provider.Name, System.Text.Encoding.UTF8.GetString(BytesOf(value))));
        }

        return list;
    }

    private static byte[] BytesOf(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? BytesOf(value) : throw new MalformedDataException(Structure, -1, $"'{name}' is missing");

    private static byte[] BytesOf(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out var bytes))
            return bytes;
        if (value.ValueKind != JsonValueKind.Array)
            throw new MalformedDataException(Structure, -1, "bytes are neither base64 nor an array of numbers");
        return [.. value.EnumerateArray().Select(n => n.ValueKind == JsonValueKind.Number && n.TryGetByte(out var b)
            ? b
            : throw new MalformedDataException(Structure, -1, "an array of bytes has something else in it"))];
    }
}

/// <summary>A request to a key provider.</summary>
/// <param name="IsWrap">True to wrap, false to unwrap.</param>
/// <param name="Data">The private options to wrap, or the packet to unwrap.</param>
/// <param name="Parameters">What the user gave for each provider.</param>
sealed record KeyProviderRequest(bool IsWrap, byte[] Data, IReadOnlyList<(string Provider, string Parameter)> Parameters);
