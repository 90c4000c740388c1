using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Simulator.Crypto;

namespace Kist.Simulator.Dcap;

/// <summary>Writes the vendor's signed JSON statements: {"member":{…},"signature":"…"}, signed over the member's exact text.</summary>
static class SignedStatement
{
    public static byte[] Write(string member, Action<Utf8JsonWriter> content, DeterministicEcdsa key, bool badSignature)
    {
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            content(writer);
            writer.WriteEndObject();
        }

        var text = body.ToArray();
        var signature = key.Sign(text);
        if (badSignature)
            signature[^1] ^= 1;
        return
        [
            .. "{\""u8, .. System.Text.Encoding.ASCII.GetBytes(member), .. "\":"u8, .. text,
            .. ",\"signature\":\""u8, .. System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(signature)), .. "\"}"u8,
        ];
    }

    /// <summary>A point in time as the vendor writes it.</summary>
    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
