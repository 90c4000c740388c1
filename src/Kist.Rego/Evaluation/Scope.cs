namespace Kist.Rego.Evaluation;

/// <summary>What <c>with</c> can replace, and the results of rules that were evaluated under it.</summary>
sealed class Scope(RegoValue? input, RegoValue? data)
{
    public RegoValue? Input => input;

    /// <summary>The base document: the data that was given, with replacements in place.</summary>
    public RegoValue? Data => data;

    /// <summary>Nodes of virtual documents that are replaced by values in <see cref="Data"/>; null if there are none.</summary>
    public HashSet<RuleNode>? Masked { get; init; }

    /// <summary>Replacements of functions, by <see cref="RuleNode"/> or <see cref="Builtins.Builtin"/>; null if there are none.</summary>
    public Dictionary<object, Mock>? Mocks { get; init; }

    /// <summary>Documents that have been evaluated; <see cref="Cached"/> tells undefined from unfinished.</summary>
    public Dictionary<RuleNode, Cached> Cache { get; } = [];

    /// <summary>Parts of documents, by their key in the node's document.</summary>
    public Dictionary<(RuleNode Node, RegoValue Key), Cached> PartCache { get; } = [];
}

/// <summary>The result of a rule; unfinished while it is being evaluated.</summary>
readonly record struct Cached(bool IsFinished, RegoValue? Value);

/// <summary>What stands for a function: another function, or a value.</summary>
sealed record Mock(RuleNode? Function, Builtins.Builtin? Builtin, RegoValue? Value);
