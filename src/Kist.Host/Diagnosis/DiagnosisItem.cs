using System.Text.Json.Serialization;

namespace Kist.Host;

/// <summary>How one thing stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DiagnosisState>))]
public enum DiagnosisState
{
    /// <summary>There, and works.</summary>
    [JsonStringEnumMemberName("ok")]
    Ok,

    /// <summary>Not there; Kist does without it.</summary>
    [JsonStringEnumMemberName("absent")]
    Absent,

    /// <summary>Something that Kist needs is missing or broken.</summary>
    [JsonStringEnumMemberName("broken")]
    Broken,
}

/// <summary>One thing that <c>kist doctor</c> looked at.</summary>
/// <param name="Id">Stable code, such as "machine.qemu".</param>
/// <param name="State">How it stands.</param>
/// <param name="Finding">What was found.</param>
/// <param name="Consequence">What that means for the user.</param>
/// <param name="Remedy">What to do; null if nothing need be done.</param>
public sealed record DiagnosisItem(string Id, DiagnosisState State, string Finding, string Consequence, string? Remedy = null);
