using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>
/// What a log's entry says (Rekor's types hashedrekord 0.0.1, dsse 0.0.1, intoto 0.0.2; of its version 2, hashedrekord and dsse 0.0.2). It must be about the very signature
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
        var spec = StrictJson.RequiredObject(document.RootElement, "spec", Structure);
        return (kind, version) switch
        {
            ("hashedrekord", "0.0.1") => CompareHashedRekord(spec, signature, signer),
            ("dsse", "0.0.1") when signature.IsStatement => CompareDsse(spec, signature, signer),
            ("hashedrekord", "0.0.2") => CompareHashedRekord2(StrictJson.RequiredObject(spec, "hashedRekordV002", Structure), signature, signer),
            ("dsse", "0.0.2") when signature.IsStatement => CompareDsse2(StrictJson.RequiredObject(spec, "dsseV002", Structure), signature, signer),
            ("intoto", "0.0.2") when signature.IsStatement => CompareInToto(StrictJson.RequiredObject(spec, "content", Structure), signature, signer),
            _ => $"entries of the type {kind} {version} are not known for such signatures",
        };
    }

    private static string? CompareHashedRekord(JsonElement spec, CosignSignature signature, byte[] signer)
    {
        var logged = StrictJson.RequiredObject(spec, "signature", Structure);
        return !IsSha256(StrictJson.RequiredObject(StrictJson.RequiredObject(spec, "data", Structure), "hash", Structure), signature.SignedBytes) ? "the log's entry is for another artifact"
            : !StrictJson.RequiredBase64(logged, "content", Structure).AsSpan().SequenceEqual(signature.Signature) ? "the log's entry is for another signature"
            : !IsSigner(StrictJson.RequiredBase64(StrictJson.RequiredObject(logged, "publicKey", Structure), "content", Structure), signer) ? "the log's entry is for another signer"
            : null;
    }

    private static string? CompareDsse(JsonElement spec, CosignSignature signature, byte[] signer)
    {
        if (!IsSha256(StrictJson.RequiredObject(spec, "payloadHash", Structure), signature.Payload))
            return "the log's entry is for another artifact";
        return StrictJson.RequiredList(spec, "signatures", Structure).Any(s => StrictJson.RequiredBase64(s, "signature", Structure).AsSpan().SequenceEqual(signature.Signature) && IsSigner(StrictJson.RequiredBase64(s, "verifier", Structure), signer))
            ? null
            : "the log's entry is for another signature";
    }

    // Its signatures are base64 twice.
    private static string? CompareInToto(JsonElement content, CosignSignature signature, byte[] signer)
    {
        if (!IsSha256(StrictJson.RequiredObject(content, "payloadHash", Structure), signature.Payload))
            return "the log's entry is for another artifact";
        var expected = Encoding.ASCII.GetBytes(Convert.ToBase64String(signature.Signature));
        return StrictJson.RequiredList(StrictJson.RequiredObject(content, "envelope", Structure), "signatures", Structure).Any(s => StrictJson.RequiredBase64(s, "sig", Structure).AsSpan().SequenceEqual(expected) && IsSigner(StrictJson.RequiredBase64(s, "publicKey", Structure), signer))
            ? null
            : "the log's entry is for another signature";
    }

    private static string? CompareHashedRekord2(JsonElement record, CosignSignature signature, byte[] signer) =>
        !IsDigest(StrictJson.RequiredObject(record, "data", Structure), signature.SignedBytes) ? "the log's entry is for another artifact"
        : CompareSignature2(StrictJson.RequiredObject(record, "signature", Structure), signature, signer);

    private static string? CompareDsse2(JsonElement record, CosignSignature signature, byte[] signer) =>
        !IsDigest(StrictJson.RequiredObject(record, "payloadHash", Structure), signature.Payload) ? "the log's entry is for another artifact"
        : StrictJson.RequiredList(record, "signatures", Structure).Any(s => CompareSignature2(s, signature, signer) is null) ? null
        : "the log's entry is for another signature";

    private static string? CompareSignature2(JsonElement logged, CosignSignature signature, byte[] signer)
    {
        if (!StrictJson.RequiredBase64(logged, "content", Structure).AsSpan().SequenceEqual(signature.Signature))
            return "the log's entry is for another signature";
        var verifier = StrictJson.RequiredObject(logged, "verifier", Structure);
        var key = StrictJson.OptionalObject(verifier, "x509Certificate", Structure) ?? StrictJson.RequiredObject(verifier, "publicKey", Structure);
        return StrictJson.RequiredBase64(key, "rawBytes", Structure).AsSpan().SequenceEqual(signer) ? null : "the log's entry is for another signer";
    }

    // HashOutput of Sigstore's protobuf-specs.
    private static bool IsDigest(JsonElement hash, byte[] data)
    {
        var actual = StrictJson.RequiredText(hash, "algorithm", Structure) switch
        {
            "SHA2_256" => SHA256.HashData(data),
            "SHA2_384" => SHA384.HashData(data),
            "SHA2_512" => SHA512.HashData(data),
            _ => null,
        };
        return actual is not null && actual.AsSpan().SequenceEqual(StrictJson.RequiredBase64(hash, "digest", Structure));
    }

    private static bool IsSha256(JsonElement hash, byte[] data) => StrictJson.OptionalText(hash, "algorithm", Structure) == "sha256"
        && StrictJson.OptionalText(hash, "value", Structure) == Convert.ToHexStringLower(SHA256.HashData(data));

    private static bool IsSigner(byte[] pem, byte[] signer)
    {
        var text = Encoding.UTF8.GetString(pem);
        return PemEncoding.TryFind(text, out var fields) && Convert.FromBase64String(text[fields.Base64Data]).AsSpan().SequenceEqual(signer);
    }
}
