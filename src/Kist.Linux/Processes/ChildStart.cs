using System.Runtime.InteropServices;

namespace Kist.Linux.Processes;

/// <summary>What to execute, and with which files open. Nothing else is inherited.</summary>
public sealed class ChildStart
{
    /// <summary>The program's absolute path.</summary>
    public required string Program { get; init; }

    /// <summary>The arguments after the program's own name.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The whole environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Which handle becomes which descriptor of the child; 0, 1 and 2 are /dev/null where not named.</summary>
    public IReadOnlyDictionary<int, SafeHandle> Files { get; init; } = new Dictionary<int, SafeHandle>();
}
