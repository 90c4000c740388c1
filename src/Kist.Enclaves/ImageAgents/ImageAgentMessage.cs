using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Enclaves.Host;
using Kist.Formats;

namespace Kist.Enclaves.ImageAgents;

/// <summary>
/// A request to a pod's image agent: one JSON object a packet.
/// <code>
/// pull    reference (with digest), plainHttp?     the host: fetch, decrypt, unpack and seal an image
/// hello                                           an application enclave: who are you?
/// key     manifest, report, publicKey             an application enclave: the key of my image
/// </code>
/// </summary>
sealed record ImageAgentRequest
{
    public required string Op { get; init; }

    /// <summary>For pull: the image.</summary>
    public string? Reference { get; init; }

    /// <summary>For pull: true if the registry speaks plain http. What is fetched is proven by the reference's digest.</summary>
    public bool? PlainHttp { get; init; }

    /// <summary>For key: the application's manifest.</summary>
    public byte[]? Manifest { get; init; }

    /// <summary>For key: REPORT of the application for the agent, over its public key.</summary>
    public byte[]? Report { get; init; }

    /// <summary>For key: the application's public key for this once, SubjectPublicKeyInfo.</summary>
    public byte[]? PublicKey { get; init; }
}

/// <summary>The reply to an <see cref="ImageAgentRequest"/>.</summary>
sealed record ImageAgentReply
{
    /// <summary>Why the request was refused; null if it was not.</summary>
    public string? Error { get; init; }

    /// <summary>For hello: the agent's TARGETINFO.</summary>
    public byte[]? TargetInfo { get; init; }

    /// <summary>For hello: the agent's manifest.</summary>
    public byte[]? Manifest { get; init; }

    /// <summary>For key: REPORT of the agent for the application, over both public keys and the box.</summary>
    public byte[]? Report { get; init; }

    /// <summary>For key: the agent's public key for this once.</summary>
    public byte[]? PublicKey { get; init; }

    /// <summary>For key: the image's key, for the application's eyes only.</summary>
    public byte[]? Box { get; init; }
}

/// <summary>Encoding of the image agent's packets.</summary>
static class ImageAgentMessage
{
    public const int MaxSize = 128 * 1024;

    private const string Name = "image agent message";

    public static byte[] Encode(ImageAgentRequest request) => JsonSerializer.SerializeToUtf8Bytes(request, ImageAgentJson.Default.ImageAgentRequest);

    public static byte[] Encode(ImageAgentReply reply) => JsonSerializer.SerializeToUtf8Bytes(reply, ImageAgentJson.Default.ImageAgentReply);

    public static ImageAgentRequest DecodeRequest(ReadOnlySpan<byte> json) => PacketJson.Decode(json, ImageAgentJson.Default.ImageAgentRequest, Name);

    public static ImageAgentReply DecodeReply(ReadOnlySpan<byte> json) => PacketJson.Decode(json, ImageAgentJson.Default.ImageAgentReply, Name);

    /// <summary>A member that this kind of message must have.</summary>
    public static T Require<T>(T? value, string name)
        where T : class => value ?? throw new MalformedDataException(Name, -1, $"\"{name}\" is missing");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(ImageAgentRequest))]
[JsonSerializable(typeof(ImageAgentReply))]
sealed partial class ImageAgentJson : JsonSerializerContext;
