using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>Entries of an environment, as "NAME=value" and as the agent is told them.</summary>
public static class EnvironmentEntry
{
    /// <summary>Reads one that has a '='.</summary>
    public static EnvironmentVariable Parse(string entry)
    {
        var separator = entry.IndexOf('=', StringComparison.Ordinal);
        return new EnvironmentVariable { Name = entry[..separator], Value = entry[(separator + 1)..] };
    }
}
