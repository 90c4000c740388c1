using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Measurement.Tdx;

/// <summary>The registers that a trust domain must show to be the one that was predicted.</summary>
/// <param name="MrTd">MRTD, 48 bytes.</param>
/// <param name="Rtmr0">RTMR0: the firmware's configuration.</param>
/// <param name="Rtmr1">RTMR1: the kernel.</param>
/// <param name="Rtmr2">RTMR2: command line and initrd.</param>
/// <param name="MrConfigId">MRCONFIGID, 48 bytes.</param>
public sealed record TdxReferenceValues(HashValue MrTd, HashValue Rtmr0, HashValue Rtmr1, HashValue Rtmr2, HashValue MrConfigId)
{
    private const string Structure = "TDX reference values";
    private const int MaximumSize = 64 << 10;

    /// <summary>What the values do not cover, for a person; it is not compared.</summary>
    public ImmutableArray<NotCovered> NotCovered { get; init; } = [];

    /// <summary>
    /// The document that the key broker imports: one object, registers as lower-case hexadecimal under the names that
    /// policies know: tee, mr_td, rtmr_0, rtmr_1, rtmr_2, mr_config_id, not_covered.
    /// </summary>
    public byte[] ToJson()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("tee", "tdx");
            writer.WriteString("mr_td", MrTd.ToString());
            writer.WriteString("rtmr_0", Rtmr0.ToString());
            writer.WriteString("rtmr_1", Rtmr1.ToString());
            writer.WriteString("rtmr_2", Rtmr2.ToString());
            writer.WriteString("mr_config_id", MrConfigId.ToString());
            writer.WriteStartArray("not_covered");
            foreach (var item in NotCovered)
            {
                writer.WriteStartObject();
                writer.WriteString("register", item.Register);
                writer.WriteString("what", item.What);
                writer.WriteString("why", item.Why);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <summary>Reads what <see cref="ToJson"/> writes.</summary>
    /// <exception cref="MalformedDataException">It is not such a document.</exception>
    public static TdxReferenceValues FromJson(ReadOnlyMemory<byte> json)
    {
        if (json.Length > MaximumSize)
            throw new MalformedDataException(Structure, -1, $"{json.Length} bytes are more than the limit of {MaximumSize}");
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || Text(root, "tee") != "tdx")
                throw new MalformedDataException(Structure, -1, "tee must be \"tdx\"");
            return new(Register(root, "mr_td"), Register(root, "rtmr_0"), Register(root, "rtmr_1"), Register(root, "rtmr_2"), Register(root, "mr_config_id"))
            {
                NotCovered = [.. ReadNotCovered(root)],
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new MalformedDataException(Structure, -1, "it is not the JSON that was expected", e);
        }
    }

    private static IEnumerable<NotCovered> ReadNotCovered(JsonElement root)
    {
        if (!root.TryGetProperty("not_covered", out var items))
            yield break;
        foreach (var item in items.EnumerateArray())
            yield return new NotCovered(Text(item, "register"), Text(item, "what"), Text(item, "why"));
    }

    private static HashValue Register(JsonElement root, string name)
    {
        var value = HashValue.Parse(Text(root, name));
        return value.Length == TdxLaunchMeasurement.RegisterSize
            ? value
            : throw new MalformedDataException(Structure, -1, $"{name} is {value.Length} bytes, not {TdxLaunchMeasurement.RegisterSize}");
    }

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.GetString() is { } text
            ? text
            : throw new MalformedDataException(Structure, -1, $"{name} is missing");
}
