using System.Text.Json;

namespace Kist.Pods.Protocol;

/// <summary>
/// What has run in the pod so far, by the names of its containers. The agent keeps it, not the host, so that a policy can
/// demand that an init container has done its work before another starts.
/// </summary>
/// <param name="Started">Containers whose program has been started.</param>
/// <param name="Completed">Containers whose program has ended with exit code 0.</param>
public sealed record PodStateInput(IReadOnlyList<string> Started, IReadOnlyList<string> Completed)
{
    /// <summary>A pod in which nothing has run.</summary>
    public static PodStateInput Empty { get; } = new([], []);

    /// <summary>Writes the member "pod".</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("pod");
        PolicyJson.WriteStrings(json, "started", Started);
        PolicyJson.WriteStrings(json, "completed", Completed);
        json.WriteEndObject();
    }
}
