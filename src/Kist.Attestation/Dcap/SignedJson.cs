using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>
/// A statement of Intel's provisioning service: {"tcbInfo": {…}, "signature": "…"} or with "enclaveIdentity". The
/// signature is over the member's text exactly as received.
/// </summary>
internal sealed class SignedJson
{
    private static readonly JsonDocumentOptions s_strict = new()
    {
        AllowDuplicateProperties = false,
        AllowTrailingCommas = false,
        CommentHandling = JsonCommentHandling.Disallow,
        MaxDepth = 16,
    };

    private readonly SignatureMemory _memory = new();

    private SignedJson(ReadOnlyMemory<byte> body, byte[] signature, JsonElement root)
    {
        Body = body;
        Signature = signature;
        Root = root;
    }

    /// <summary>The signed text.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>r then s, 64 bytes.</summary>
    public byte[] Signature { get; }

    /// <summary>The parsed member.</summary>
    public JsonElement Root { get; }

    /// <summary>
    /// True if <paramref name="signer"/>'s key made <see cref="Signature"/> over the text as received. The answer for the last key
    /// is kept.
    /// </summary>
    public bool IsSignedBy(Certificate signer) => _memory.Check(signer.SubjectPublicKeyInfo, () =>
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Body.Span, hash);
        return signer.Key is { } key && key.VerifyEcdsaHash(hash, Signature);
    });

    /// <summary>Reads a document whose signed member has one of these names.</summary>
    /// <exception cref="MalformedDataException">It is not such a document.</exception>
    public static SignedJson Parse(ReadOnlyMemory<byte> document, string structure, params ReadOnlySpan<string> names)
    {
        if (document.Length > EvidenceLimits.SignedJson)
            throw new MalformedDataException(structure, -1, $"{document.Length} bytes, more than the limit of {EvidenceLimits.SignedJson}");
        try
        {
            using var parsed = JsonDocument.Parse(document, s_strict);
            var root = parsed.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw new MalformedDataException(structure, 0, "it is not an object");
            foreach (var name in names)
            {
                if (!root.TryGetProperty(name, out var member))
                    continue;
                if (member.ValueKind != JsonValueKind.Object)
                    throw new MalformedDataException(structure, -1, $"member {name} is not an object");
                var signature = EvidenceJson.RequireHex(root, "signature", structure);
                if (signature.Length != 64)
                    throw new MalformedDataException(structure, -1, $"the signature is {signature.Length} bytes, not 64");
                return new SignedJson(FindMember(document, name, structure), signature, member.Clone());
            }
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(structure, e.BytePositionInLine ?? -1, "it is not JSON as Intel writes it", e);
        }

        throw new MalformedDataException(structure, -1, $"member {names[0]} is missing");
    }

    /// <summary>The text of a member of the outermost object.</summary>
    private static ReadOnlyMemory<byte> FindMember(ReadOnlyMemory<byte> document, string name, string structure)
    {
        var reader = new Utf8JsonReader(document.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals(name);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (found)
                return document[start..(int)reader.BytesConsumed];
        }

        throw new MalformedDataException(structure, -1, $"member {name} is missing");
    }

    /// <summary>A member that is a point in time, in ISO 8601 as Intel writes it.</summary>
    public static DateTimeOffset RequireTime(JsonElement parent, string name, string structure)
    {
        var text = EvidenceJson.RequireString(parent, name, structure);
        return DateTimeOffset.TryParseExact(
            text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new MalformedDataException(structure, -1, $"member {name} is not a time");
    }

    /// <summary>A member that is a whole number from 0 to a maximum.</summary>
    public static int RequireNumber(JsonElement parent, string name, int maximum, string structure)
    {
        var value = EvidenceJson.Require(parent, name, structure);
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0 && number <= maximum
            ? number
            : throw new MalformedDataException(structure, -1, $"member {name} is not a number from 0 to {maximum}");
    }

    /// <summary>A member that is bytes of a fixed size in hexadecimal.</summary>
    public static byte[] RequireHex(JsonElement parent, string name, int size, string structure)
    {
        var bytes = EvidenceJson.RequireHex(parent, name, structure);
        return bytes.Length == size
            ? bytes
            : throw new MalformedDataException(structure, -1, $"member {name} is {bytes.Length} bytes, not {size}");
    }

    /// <summary>A member that is an array.</summary>
    public static JsonElement.ArrayEnumerator RequireArray(JsonElement parent, string name, int maximum, string structure)
    {
        var value = EvidenceJson.Require(parent, name, structure);
        if (value.ValueKind != JsonValueKind.Array)
            throw new MalformedDataException(structure, -1, $"member {name} is not an array");
        if (value.GetArrayLength() > maximum)
            throw new MalformedDataException(structure, -1, $"member {name} has more than {maximum} elements");
        return value.EnumerateArray();
    }

    /// <summary>A member that is an array of texts; empty if it is absent.</summary>
    public static string[] OptionalStrings(JsonElement parent, string name, string structure)
    {
        if (EvidenceJson.Optional(parent, name, structure) is null)
            return [];
        var list = new List<string>();
        foreach (var element in RequireArray(parent, name, 256, structure))
        {
            list.Add(element.ValueKind == JsonValueKind.String
                ? EvidenceJson.Text(element, name, structure)
                : throw new MalformedDataException(structure, -1, $"member {name} holds something that is not text"));
        }

        return [.. list];
    }
}
