using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Measurement.Manifests;

/// <summary>
/// A manifest as JSON: {"kist_measurement":1,"tee":…,"profile":…,"inputs":{…},"registers":{…},"steps":[…],"not_covered":[…]},
/// always in this order, so that equal manifests are equal bytes.
/// </summary>
public static class ManifestJson
{
    private const string Structure = "measurement manifest";
    private const int MaximumSize = 4 << 20;

    /// <summary>The document, indented, with a final line end.</summary>
    public static byte[] Write(MeasurementManifest manifest)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            WriteMembers(writer, manifest);
            writer.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    /// <summary>The document's members, for a document that has it inside.</summary>
    public static void WriteMembers(Utf8JsonWriter writer, MeasurementManifest manifest)
    {
        writer.WriteNumber("kist_measurement", 1);
        writer.WriteString("tee", manifest.Tee);
        writer.WriteString("profile", manifest.Profile);
        writer.WriteStartObject("inputs");
        foreach (var input in manifest.Inputs)
            writer.WriteString(input.Name, input.Value);
        writer.WriteEndObject();
        writer.WriteStartObject("registers");
        foreach (var register in manifest.Registers)
            writer.WriteString(register.Name, register.Value.ToString());
        writer.WriteEndObject();
        writer.WriteStartArray("steps");
        foreach (var step in manifest.Steps)
        {
            writer.WriteStartObject();
            writer.WriteString("register", step.Register);
            writer.WriteString("kind", step.Kind);
            writer.WriteString("input", step.Input);
            writer.WriteString("description", step.Description);
            writer.WriteString("digest", step.Digest.ToString());
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("not_covered");
        foreach (var item in manifest.NotCovered)
        {
            writer.WriteStartObject();
            writer.WriteString("register", item.Register);
            writer.WriteString("what", item.What);
            writer.WriteString("why", item.Why);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>True if this JSON says that it is a manifest. Never throws.</summary>
    public static bool Recognises(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty("kist_measurement", out _);

    /// <summary>Reads a document.</summary>
    /// <exception cref="MalformedDataException">It is not such a document.</exception>
    public static MeasurementManifest Parse(ReadOnlyMemory<byte> json)
    {
        if (json.Length > MaximumSize)
            throw new MalformedDataException(Structure, -1, $"{json.Length} bytes are more than the limit of {MaximumSize}");
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 6, AllowDuplicateProperties = false });
            var root = document.RootElement;
            if (!Recognises(root) || root.GetProperty("kist_measurement").GetInt32() != 1)
                throw new MalformedDataException(Structure, -1, "kist_measurement must be 1");
            return new MeasurementManifest(
                Text(root, "tee"),
                Text(root, "profile"),
                [.. root.GetProperty("inputs").EnumerateObject().Select(p => new ManifestInput(p.Name, p.Value.GetString() ?? ""))],
                [.. root.GetProperty("registers").EnumerateObject().Select(p => new ManifestRegister(p.Name, HashValue.Parse(p.Value.GetString() ?? "")))],
                [.. root.GetProperty("steps").EnumerateArray().Select(s => new ManifestStep(
                    Text(s, "register"), Text(s, "kind"), Text(s, "input"), Text(s, "description"), HashValue.Parse(Text(s, "digest"))))],
                [.. root.GetProperty("not_covered").EnumerateArray().Select(n => new NotCovered(Text(n, "register"), Text(n, "what"), Text(n, "why")))]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException || (e is FormatException and not MalformedDataException))
        {
            throw new MalformedDataException(Structure, -1, "it is not the JSON that was expected", e);
        }
    }

    private static string Text(JsonElement element, string name) =>
        element.GetProperty(name).GetString() ?? throw new MalformedDataException(Structure, -1, $"{name} is null");
}
