using System.Runtime.InteropServices;

namespace Kist.Linux.Processes;

/// <summary>What to execute, and with which files open. Nothing else is inherited.</summary>
public sealed class ChildStart
{
    /// <summary>The program's absolute path.</summary>
    public required string Program { get; init; }

    /// <summary>What the program is told as its own name; null for its path.</summary>
    public string? Name { get; init; }

    /// <summary>The arguments after the program's own name.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The whole environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Which handle becomes which descriptor of the child; 0, 1 and 2 are /dev/null where not named.</summary>
    public IReadOnlyDictionary<int, SafeHandle> Files { get; init; } = new Dictionary<int, SafeHandle>();

    /// <summary>Where it starts; null for this process's own directory.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>
    /// Path of a terminal that becomes its controlling terminal and its standard input, output and error, in a session of
    /// its own; null for none.
    /// </summary>
    public string? Terminal { get; init; }

    /// <summary>True to make it the first of a process group of its own, out of reach of the terminal's signals to this one.</summary>
    public bool NewProcessGroup { get; init; }

    /// <summary>True to make it the first of a session of its own: it outlives this process and has no terminal.</summary>
    public bool NewSession { get; init; }
}
