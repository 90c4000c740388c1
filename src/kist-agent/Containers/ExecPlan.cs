using Kist.Linux.Terminals;
using Kist.Pods.Protocol;

namespace Kist.Agent.Containers;

/// <summary>What is executed in a running container.</summary>
/// <param name="Process">Arguments, environment, directory and the user's text.</param>
/// <param name="User">The user's numbers.</param>
/// <param name="Terminal">True if it gets a terminal.</param>
/// <param name="Capabilities">What root in it may do.</param>
/// <param name="Hostname">The container's, for its environment.</param>
sealed record ExecPlan(ContainerProcess Process, ContainerUser User, bool Terminal, IReadOnlyList<string> Capabilities, string Hostname)
{
    /// <summary>Variables that are sealed secrets, with what the program sees instead.</summary>
    public IReadOnlyDictionary<string, string> Unsealed { get; init; } = new Dictionary<string, string>();

    /// <summary>The terminal's size at first; null for the kernel's, which is none.</summary>
    public TerminalSize? TerminalSize { get; init; }
}
