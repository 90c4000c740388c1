using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kist.Formats.Jose;

/// <summary>
/// A public JSON Web Key (RFC 7517, RFC 7518 section 6), parsed strictly: exact sizes, one spelling. Members that this
/// type does not model, private ones among them, are not kept and never written.
/// </summary>
public abstract class JsonWebKey
{
    /// <summary>Longest JWK text in bytes: an RSA-8192 key with room for a certificate chain beside it.</summary>
    public const int MaxJsonBytes = 64 * 1024;

    private const string Structure = "JSON Web Key";

    private protected JsonWebKey(string? algorithm) => Algorithm = algorithm;

    /// <summary>"EC" or "RSA".</summary>
    public abstract string KeyType { get; }

    /// <summary>The "alg" member, or null if there is none.</summary>
    public string? Algorithm { get; }

    /// <summary>Parses UTF-8 JSON text.</summary>
    /// <exception cref="MalformedDataException">Not a well-formed EC or RSA key.</exception>
    public static JsonWebKey Parse(ReadOnlySpan<byte> utf8Json)
    {
        using var document = StrictJson.Parse(utf8Json, MaxJsonBytes, Structure, maxDepth: 16);
        return Parse(document.RootElement);
    }

    /// <summary>Parses a JSON object.</summary>
    /// <exception cref="MalformedDataException">Not a well-formed EC or RSA key.</exception>
    public static JsonWebKey Parse(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new MalformedDataException(Structure, -1, "it must be a JSON object");
        string Required(string name) => StrictJson.RequiredText(json, name, Structure);
        var algorithm = StrictJson.OptionalText(json, "alg", Structure);
        return Required("kty") switch
        {
            "EC" => new EcJsonWebKey(Required("crv"), Required("x"), Required("y"), algorithm),
            "RSA" => new RsaJsonWebKey(Required("n"), Required("e"), algorithm),
            var other => throw new MalformedDataException(Structure, -1, $"the key type \"{Printable(other)}\" is not EC or RSA"),
        };
    }

    /// <summary>Writes the public members as a JSON object, sorted by name.</summary>
    public abstract void WriteTo(Utf8JsonWriter writer);

    /// <summary>The SHA-256 thumbprint (RFC 7638), base64url.</summary>
    public string Thumbprint()
    {
        // RFC 7638 section 3: the required members only, sorted by name, without white space.
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.ASCII.GetBytes(RequiredMembers()), digest);
        return Base64Url.Encode(digest);
    }

    /// <summary>The compact text of <see cref="WriteTo"/>.</summary>
    public override string ToString()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private protected abstract string RequiredMembers();

    private protected static MalformedDataException Malformed(string reason, Exception? inner = null) =>
        new(Structure, -1, reason, inner);

    private protected static string Printable(string text) =>
        text.Length <= 32 && text.All(c => c is >= ' ' and <= '~') ? text : "(unprintable or long)";
}
