using System.Text.Json.Serialization;

namespace Kist.Host;

/// <summary>When the blobs of a sealed image are fetched that are not in the cache.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BlobFetch>))]
public enum BlobFetch
{
    /// <summary>While the guest boots and runs; what it asks for comes first.</summary>
    Prefetch,

    /// <summary>Only what the guest asks for.</summary>
    Lazy,

    /// <summary>Whole, and proven by digest, before the guest starts.</summary>
    Eager,
}
