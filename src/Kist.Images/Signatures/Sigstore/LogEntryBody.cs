using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>
/// What a log's entry says (Rekor's types hashedrekord 0.0.1, dsse 0.0.1, intoto 0.0.2). It must be about the very signature
/// that is verified: otherwise a genuine entry of something else could be put beside it.
/// </summary>
static class LogEntryBody
{
    private const int MaxBytes = 1024 * 1024;
    private const string Structure = "log entry";

    /// <summary>Compares an entry with a signature.</summary>
    /// <param name="body">The entry's body.</param>
    /// <param name="signature">The signature.</param>
    /// <param name="signer">The signer's certificate, or public key (SubjectPublicKeyInfo), in DER.</param>
    /// <returns>Why they differ, or null.</returns>
    public static string? Compare(byte[] body, CosignSignature signature, byte[] signer)
    {
        using var document = StrictJson.ParseObject(body, MaxBytes, Structure, maxDepth: 16);
        var kind = StrictJson.RequiredText(document.RootElement, "kind", Structure);
        var version = StrictJson.RequiredText(document.RootElement, "apiVersion", Structure);
        var spec = Member(document.RootElement, "spec");
        return (kind, version) switch
        {
            ("hashedrekord", "0.0.1") => CompareHashedRekord(spec, signature, signer),
            ("dsse", "0.0.1") when signature.IsStatement => CompareDsse(spec, signature, signer),
            ("intoto", "0.0.2") when signature.IsStatement => CompareInToto(Member(spec, "content"), signature, signer),
            _ => $"entries of the type {kind} {version} are not known for such signatures",
        };
    }

    private static string? CompareHashedRekord(JsonElement spec, CosignSignature signature, byte[] signer)
    {
        var logged = Member(spec, "signature");
        return !IsSha256(Member(Member(spec, "data"), "hash"), signature.SignedBytes) ? "the log's entry is for another artifact"
            : !Base64(logged, "content").AsSpan().SequenceEqual(signature.Signature) ? "the log's entry is for another signature"
            : !IsSigner(Base64(Member(logged, "publicKey"), "content"), signer) ? "the log's entry is for another signer"
            : null;
    }

    private static string? CompareDsse(JsonElement spec, CosignSignature signature, byte[] signer)
    {
        if (!IsSha256(Member(spec, "payloadHash"), signature.Payload))
            return "the log's entry is for another artifact";
        return Elements(spec, "signatures").Any(s => Base64(s, "signature").AsSpan().SequenceEqual(signature.Signature) && IsSigner(Base64(s, "verifier"), signer))
            ? null
            : "the log's entry is for another signature";
    }

    // Its signatures are base64 twice.
    private static string? CompareInToto(JsonElement content, CosignSignature signature, byte[] signer)
    {
        if (!IsSha256(Member(content, "payloadHash"), signature.Payload))
            return "the log's entry is for another artifact";
        var expected = Encoding.ASCII.GetBytes(Convert.ToBase64String(signature.Signature));
        return Elements(Member(content, "envelope"), "signatures").Any(s => Base64(s, "sig").AsSpan().SequenceEqual(expected) && IsSigner(Base64(s, "publicKey"), signer))
            ? null
            : "the log's entry is for another signature";
    }

    private static bool IsSha256(JsonElement hash, byte[] data) => StrictJson.OptionalText(hash, "algorithm", Structure) == "sha256"
        && StrictJson.OptionalText(hash, "value", Structure) == Convert.ToHexStringLower(SHA256.HashData(data));

    private static bool IsSigner(byte[] pem, byte[] signer)
    {
        var text = Encoding.UTF8.GetString(pem);
        return PemEncoding.TryFind(text, out var fields) && Convert.FromBase64String(text[fields.Base64Data]).AsSpan().SequenceEqual(signer);
    }

    private static JsonElement.ArrayEnumerator Elements(JsonElement json, string name) =>
        json.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : throw Malformed($"the list '{name}' is missing");

    private static JsonElement Member(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Object
            ? member
            : throw Malformed($"the object '{name}' is missing");

    private static byte[] Base64(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out var bytes)
            ? bytes
            : throw Malformed($"'{name}' is missing or no base64");

    private static MalformedDataException Malformed(string reason) => new(Structure, -1, reason);
}
