using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Enclaves.Host;

/// <summary>A request to a running enclave from the host's side: one JSON object a packet.</summary>
public sealed record AgentRequest
{
    /// <summary>"exec" (with three files: standard input, output, error; or none, for a terminal), "signal", "report" or "quote".</summary>
    public required string Op { get; init; }

    /// <summary>For exec: the command line, which the manifest must list.</summary>
    public ImmutableArray<string>? Args { get; init; }

    /// <summary>For exec: true to give the program a terminal, whose other end comes with the first reply.</summary>
    public bool? Terminal { get; init; }

    /// <summary>For signal: its number. It goes to the program that exec on this connection started.</summary>
    public int? Signal { get; init; }

    /// <summary>For report and quote: base64 of at most 64 bytes, the challenger's nonce.</summary>
    public string? Nonce { get; init; }
}

/// <summary>The reply to an <see cref="AgentRequest"/>.</summary>
public sealed record AgentReply
{
    /// <summary>Why the request was refused; null if it was not.</summary>
    public string? Error { get; init; }

    /// <summary>For exec with a terminal: true in the reply that carries the terminal's other end.</summary>
    public bool? Terminal { get; init; }

    /// <summary>For exec: the program's exit code.</summary>
    public int? ExitCode { get; init; }

    /// <summary>For report: base64 of the REPORT. For quote: base64 of the DICE evidence.</summary>
    public string? Evidence { get; init; }
}

/// <summary>Encoding of the agent's packets.</summary>
public static class AgentMessage
{
    /// <summary>Largest packet.</summary>
    public const int MaxSize = 128 * 1024;

    private const string Name = "enclave agent message";

    /// <summary>Encodes a request.</summary>
    public static byte[] Encode(AgentRequest request) => JsonSerializer.SerializeToUtf8Bytes(request, AgentJson.Default.AgentRequest);

    /// <summary>Encodes a reply.</summary>
    public static byte[] Encode(AgentReply reply) => JsonSerializer.SerializeToUtf8Bytes(reply, AgentJson.Default.AgentReply);

    /// <summary>Decodes a request.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static AgentRequest DecodeRequest(ReadOnlySpan<byte> json) => PacketJson.Decode(json, AgentJson.Default.AgentRequest, Name);

    /// <summary>Decodes a reply.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static AgentReply DecodeReply(ReadOnlySpan<byte> json) => PacketJson.Decode(json, AgentJson.Default.AgentReply, Name);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(AgentRequest))]
[JsonSerializable(typeof(AgentReply))]
internal sealed partial class AgentJson : JsonSerializerContext;
