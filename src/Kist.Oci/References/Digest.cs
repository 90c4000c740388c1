using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// A content digest, "algorithm:hex" (OCI image specification 1.1, descriptor.md, Digests). The two registered
/// algorithms that .NET has are understood: sha256 and sha512; others are refused, for what cannot be checked must not
/// be used.
/// </summary>
[JsonConverter(typeof(DigestJsonConverter))]
public readonly record struct Digest
{
    private static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789abcdef");

    private readonly string? _text;

    private Digest(string text) => _text = text;

    /// <summary>"sha256" or "sha512".</summary>
    public string Algorithm => Text[..Text.IndexOf(':')];

    /// <summary>The hash in lower-case hexadecimal digits.</summary>
    public string Hex => Text[(Text.IndexOf(':') + 1)..];

    private string Text => _text ?? throw new InvalidOperationException("a digest that was never set is used");

    /// <summary>Reads "algorithm:hex".</summary>
    /// <exception cref="MalformedDataException">The text is no digest, or of an algorithm that is not known here.</exception>
    public static Digest Parse(string text) =>
        TryParse(text, out var digest) ? digest : throw new MalformedDataException("digest", -1, $"not sha256 or sha512 in lower-case hex: '{Shorten(text)}'");

    /// <summary>Reads "algorithm:hex"; false if it is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        digest = default;
        if (text is null)
            return false;
        var length = text.StartsWith("sha256:", StringComparison.Ordinal) ? 64 : text.StartsWith("sha512:", StringComparison.Ordinal) ? 128 : -1;
        if (text.Length != 7 + length || text.AsSpan(7).ContainsAnyExcept(s_hexDigits))
            return false;
        digest = new Digest(text);
        return true;
    }

    /// <summary>The SHA-256 digest of some bytes.</summary>
    public static Digest Of(ReadOnlySpan<byte> content) => FromSha256(SHA256.HashData(content));

    /// <summary>A digest from a SHA-256 hash.</summary>
    public static Digest FromSha256(ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, SHA256.HashSizeInBytes);
        return new Digest("sha256:" + Convert.ToHexStringLower(hash));
    }

    /// <summary>True if this is the digest of <paramref name="content"/>.</summary>
    public bool Matches(ReadOnlySpan<byte> content) =>
        MatchesHash(Algorithm == "sha256" ? SHA256.HashData(content) : SHA512.HashData(content));

    /// <summary>True if this digest carries exactly this hash.</summary>
    public bool MatchesHash(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(Convert.FromHexString(Hex), hash);

    /// <summary>A hash of this digest's algorithm, to be fed with content.</summary>
    public IncrementalHash CreateHash() =>
        IncrementalHash.CreateHash(Algorithm == "sha256" ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA512);

    /// <summary>"algorithm:hex".</summary>
    public override string ToString() => _text ?? "";

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100] + "…";
}

/// <summary>Reads and writes digests as JSON strings.</summary>
public sealed class DigestJsonConverter : JsonConverter<Digest>
{
    /// <inheritdoc/>
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Digest.TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out var digest)
            ? digest
            : throw new JsonException("not a sha256 or sha512 digest");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
