using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kist.Formats;

namespace Kist.Enclaves.Host;

/// <summary>Decoding of packets that hold one JSON object each.</summary>
static class PacketJson
{
    /// <param name="json">The packet.</param>
    /// <param name="type">How it is read.</param>
    /// <param name="name">What it is called in errors.</param>
    /// <exception cref="MalformedDataException">It is no such object.</exception>
    public static T Decode<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, string name)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new MalformedDataException(name, -1, "it must be a JSON object");
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(name, e.BytePositionInLine ?? -1, "not such a JSON object", e);
        }
    }
}
