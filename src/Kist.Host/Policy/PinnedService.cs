namespace Kist.Host;

/// <summary>A service of the guest that a container may use.</summary>
/// <param name="Name">"resource", "token", "evidence", "event-log", "unseal" …</param>
/// <param name="Resource">What it may be asked for, such as kbs:///default/a/b; empty where a service has nothing to choose.</param>
public sealed record PinnedService(string Name, string Resource);
