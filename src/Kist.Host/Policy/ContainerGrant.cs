namespace Kist.Host;

/// <summary>Something that is granted to one container of a pod, or to all.</summary>
/// <param name="Container">The container's name; null for all.</param>
/// <param name="Value">What is granted.</param>
public sealed record ContainerGrant<T>(string? Container, T Value)
{
    /// <summary>True if it is granted to a container.</summary>
    public bool IsFor(string container) => Container is null || Container == container;
}
