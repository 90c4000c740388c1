using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kist.Formats;

namespace Kist.KeyBroker.Protocol;

/// <summary>Reading and writing of the protocol's messages.</summary>
public static class KbsJson
{
    /// <summary>
    /// Unknown members are ignored, as every implementation of the protocol does; duplicate members and missing ones are not.
    /// The default encoder would write a plus sign as an escape, and digests are made over what is written.
    /// </summary>
    private static readonly KbsJsonContext Context = new(new JsonSerializerOptions
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 64,
    });

    /// <summary>Reads a message.</summary>
    /// <exception cref="MalformedDataException">It is not this message, or longer than <paramref name="maxBytes"/>.</exception>
    public static T Read<T>(ReadOnlySpan<byte> utf8Json, int maxBytes)
        where T : class
    {
        var name = typeof(T).Name;
        if (utf8Json.Length > maxBytes)
            throw new MalformedDataException(name, -1, $"{utf8Json.Length} bytes are more than the limit of {maxBytes}");
        try
        {
            return JsonSerializer.Deserialize(utf8Json, TypeInfo<T>()) ?? throw new MalformedDataException(name, -1, "it must be a JSON object");
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(name, e.BytePositionInLine ?? -1, $"not valid JSON, or a member is missing, occurs twice or is of the wrong type{At(e)}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new MalformedDataException(name, -1, "a string holds a lone surrogate or invalid UTF-8", e);
        }
    }

    /// <summary>Writes a message.</summary>
    public static byte[] Write<T>(T message)
        where T : class => JsonSerializer.SerializeToUtf8Bytes(message, TypeInfo<T>());

    private static JsonTypeInfo<T> TypeInfo<T>() =>
        (JsonTypeInfo<T>)(Context.GetTypeInfo(typeof(T)) ?? throw new InvalidOperationException($"{typeof(T)} is no message of the protocol"));

    private static string At(JsonException e) => e.Path is { Length: > 0 and <= 64 } path && path != "$" ? $" (at {path})" : "";
}

/// <summary>The serialisation code, generated at build time.</summary>
[JsonSerializable(typeof(AuthRequest))]
[JsonSerializable(typeof(WhatIfDocument))]
[JsonSerializable(typeof(BrokerStatus))]
[JsonSerializable(typeof(AuditCheckpointDocument))]
[JsonSerializable(typeof(Challenge))]
[JsonSerializable(typeof(AttestRequest))]
[JsonSerializable(typeof(AttestResponse))]
[JsonSerializable(typeof(ErrorInformation))]
[JsonSerializable(typeof(SetAttestationPolicyRequest))]
[JsonSerializable(typeof(SetResourcePolicyRequest))]
[JsonSerializable(typeof(ReferenceValueMessage))]
[JsonSerializable(typeof(ReferenceSet))]
[JsonSerializable(typeof(PolicyList))]
[JsonSerializable(typeof(ReferenceSetList))]
[JsonSerializable(typeof(ReferenceValueList))]
[JsonSerializable(typeof(ResourceList))]
[JsonSerializable(typeof(ResourceVersionList))]
[JsonSerializable(typeof(AdminTokenDocument))]
[JsonSerializable(typeof(CreateAdminTokenRequest))]
[JsonSerializable(typeof(AdminTokenList))]
[JsonSerializable(typeof(AuditEntryList))]
[JsonSerializable(typeof(AuditTreeHead))]
[JsonSerializable(typeof(AuditProof))]
[JsonSerializable(typeof(ResourceTermsDocument))]
[JsonSerializable(typeof(RevocationDocument))]
[JsonSerializable(typeof(RevocationList))]
[JsonSerializable(typeof(RotateMasterKeyRequest))]
[JsonSerializable(typeof(MasterKeyStatus))]
[JsonSerializable(typeof(RewrapReport))]
[JsonSerializable(typeof(ReferenceImportReport))]
[JsonSerializable(typeof(TenantList))]
[JsonSerializable(typeof(ProposalDocument))]
[JsonSerializable(typeof(ProposalList))]
internal sealed partial class KbsJsonContext : JsonSerializerContext;
