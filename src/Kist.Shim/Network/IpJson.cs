using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kist.Shim.Network;

/// <summary>An interface as "ip -json address show" prints it.</summary>
internal sealed record IpInterface
{
    [JsonPropertyName("ifname")]
    public string Name { get; set; } = "";

    [JsonPropertyName("link_type")]
    public string LinkType { get; set; } = "";

    [JsonPropertyName("address")]
    public string HardwareAddress { get; set; } = "";

    [JsonPropertyName("mtu")]
    public uint Mtu { get; set; }

    [JsonPropertyName("addr_info")]
    public IReadOnlyList<IpAddress> Addresses { get; set; } = [];
}

internal sealed record IpAddress
{
    [JsonPropertyName("local")]
    public string Local { get; set; } = "";

    [JsonPropertyName("prefixlen")]
    public uint PrefixLength { get; set; }

    /// <summary>"global", "link", "host".</summary>
    [JsonPropertyName("scope")]
    public string Scope { get; set; } = "";
}

/// <summary>A route as "ip -json route show" prints it.</summary>
internal sealed record IpRoute
{
    /// <summary>"default", an address or a network.</summary>
    [JsonPropertyName("dst")]
    public string Destination { get; set; } = "";

    [JsonPropertyName("gateway")]
    public string Gateway { get; set; } = "";

    [JsonPropertyName("dev")]
    public string Device { get; set; } = "";

    [JsonPropertyName("prefsrc")]
    public string Source { get; set; } = "";

    /// <summary>"kernel" where an address made it.</summary>
    [JsonPropertyName("protocol")]
    public string Protocol { get; set; } = "";

    [JsonPropertyName("flags")]
    public IReadOnlyList<string> Flags { get; set; } = [];
}

[JsonSerializable(typeof(IReadOnlyList<IpInterface>))]
[JsonSerializable(typeof(IReadOnlyList<IpRoute>))]
internal sealed partial class IpJson : JsonSerializerContext;
