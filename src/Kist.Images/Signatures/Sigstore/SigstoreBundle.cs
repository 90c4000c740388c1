using System.Globalization;
using System.Text;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>
/// A Sigstore bundle (protobuf-specs sigstore_bundle.proto, versions 0.1 to 0.3): a signature with all that proves it. Of
/// images it holds an in-toto statement in a DSSE envelope (cosign specs/BUNDLE_SPEC.md).
/// </summary>
static class SigstoreBundle
{
    /// <summary>The media type of version 0.3; older ones end in "+json;version=0.N".</summary>
    public const string MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

    /// <summary>The beginning of every version's media type.</summary>
    public const string MediaTypePrefix = "application/vnd.dev.sigstore.bundle";

    /// <summary>Largest bundle.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const string Structure = "Sigstore bundle";
    private const string StatementType = "application/vnd.in-toto+json";
    private const int MaxEntries = 8;
    private const int MaxTimestamps = 4;

    private static readonly string[] s_mediaTypes =
        [MediaType, MediaTypePrefix + "+json;version=0.1", MediaTypePrefix + "+json;version=0.2", MediaTypePrefix + "+json;version=0.3"];

    /// <summary>Reads a bundle of a signed artifact.</summary>
    /// <param name="json">The bundle.</param>
    /// <param name="artifact">What was signed, where the bundle holds a signature over an artifact that it does not hold itself; else null.</param>
    public static CosignSignature Parse(ReadOnlySpan<byte> json, byte[]? artifact = null)
    {
        using var document = StrictJson.ParseObject(json, MaxBytes, Structure, maxDepth: 24);
        var root = document.RootElement;
        if (StrictJson.RequiredText(root, "mediaType", Structure) is var type && !s_mediaTypes.Contains(type))
            throw Malformed($"its mediaType '{type}' is not known");
        var material = StrictJson.RequiredObject(root, "verificationMaterial", Structure);
        var (certificate, chain) = ReadCertificates(material);
        var signature = root.TryGetProperty("dsseEnvelope", out var envelope) ? ReadEnvelope(envelope)
            : root.TryGetProperty("messageSignature", out var message) && artifact is not null ? new CosignSignature(artifact, StrictJson.RequiredBase64(message, "signature", Structure))
            : throw Malformed("it holds no statement");
        return signature with
        {
            Certificate = certificate,
            Chain = chain,
            Timestamps = StrictJson.OptionalObject(material, "timestampVerificationData", Structure) is { } timestamps
                ? [.. StrictJson.OptionalList(timestamps, "rfc3161Timestamps", Structure).Take(MaxTimestamps).Select(t => StrictJson.RequiredBase64(t, "signedTimestamp", Structure))]
                : [],
            LogEntries = [.. StrictJson.OptionalList(material, "tlogEntries", Structure).Take(MaxEntries).Select(ReadEntry)],
        };
    }

    /// <summary>Writes a bundle of a statement that a key signed.</summary>
    public static byte[] Write(byte[] statement, byte[] signature, string keyHint)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("mediaType", MediaType);
            json.WriteStartObject("verificationMaterial");
            json.WriteStartObject("publicKey");
            json.WriteString("hint", keyHint);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartObject("dsseEnvelope");
            json.WriteBase64String("payload", statement);
            json.WriteString("payloadType", StatementType);
            json.WriteStartArray("signatures");
            json.WriteStartObject();
            json.WriteBase64String("sig", signature);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>What is signed of a statement: DSSE's pre-authentication encoding.</summary>
    public static byte[] Encode(byte[] statement) =>
        [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"DSSEv1 {StatementType.Length} {StatementType} {statement.Length} ")), .. statement];

    private static CosignSignature ReadEnvelope(JsonElement envelope)
    {
        if (StrictJson.RequiredText(envelope, "payloadType", Structure) is var type && type != StatementType)
            throw Malformed($"its payload is of the type '{type}', not {StatementType}");
        var payload = StrictJson.RequiredBase64(envelope, "payload", Structure);
        var signatures = StrictJson.OptionalList(envelope, "signatures", Structure);
        if (signatures.Count != 1)
            throw Malformed($"it has {signatures.Count} signatures, not one");
        return new CosignSignature(payload, StrictJson.RequiredBase64(signatures[0], "sig", Structure)) { IsStatement = true, SignedBytes = Encode(payload) };
    }

    private static (byte[]? Certificate, IReadOnlyList<byte[]> Chain) ReadCertificates(JsonElement material)
    {
        if (material.TryGetProperty("certificate", out var single))
            return (StrictJson.RequiredBase64(single, "rawBytes", Structure), []);
        if (!material.TryGetProperty("x509CertificateChain", out var chain))
            return (null, []);
        var certificates = StrictJson.OptionalList(chain, "certificates", Structure).Take(8).Select(c => StrictJson.RequiredBase64(c, "rawBytes", Structure)).ToList();
        return certificates.Count > 0 ? (certificates[0], certificates[1..]) : throw Malformed("its chain is empty");
    }

    private static LogEntry ReadEntry(JsonElement entry) => new()
    {
        LogId = StrictJson.RequiredBase64(StrictJson.RequiredObject(entry, "logId", Structure), "keyId", Structure),
        Index = Number(entry, "logIndex"),
        IntegratedTime = entry.TryGetProperty("integratedTime", out _) ? Number(entry, "integratedTime") : 0,
        Body = StrictJson.RequiredBase64(entry, "canonicalizedBody", Structure),
        Promise = StrictJson.OptionalObject(entry, "inclusionPromise", Structure) is { } promise ? StrictJson.RequiredBase64(promise, "signedEntryTimestamp", Structure) : null,
        Proof = entry.TryGetProperty("inclusionProof", out var proof) ? ReadProof(proof) : null,
    };

    private static InclusionProof ReadProof(JsonElement proof) => new(
        proof.TryGetProperty("logIndex", out _) ? Number(proof, "logIndex") : 0, Number(proof, "treeSize"), StrictJson.RequiredBase64(proof, "rootHash", Structure),
        [.. StrictJson.OptionalList(proof, "hashes", Structure).Take(65).Select(h => StrictJson.Base64(h, "hashes", Structure))],
        proof.TryGetProperty("checkpoint", out var checkpoint) ? StrictJson.RequiredText(checkpoint, "envelope", Structure) : "");

    // Protobuf's JSON has numbers of 64 bits as text.
    private static long Number(JsonElement json, string name) => json.TryGetProperty(name, out var value) && (value.ValueKind == JsonValueKind.String
        ? long.TryParse(value.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
        : value.TryGetInt64(out number))
            ? number
            : throw Malformed($"'{name}' is missing or no number");

    private static MalformedDataException Malformed(string reason) => new(Structure, -1, reason);
}
