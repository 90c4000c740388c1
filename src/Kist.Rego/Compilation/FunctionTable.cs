using Kist.Rego.Builtins;
using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>What calls can call: built-ins, extensions, and functions that policies define.</summary>
sealed class FunctionTable(RuleNode root, RegoExtensions? extensions)
{
    // Made at once: queries are compiled by many threads.
    private readonly Dictionary<string, Builtin> _extensions =
        (extensions?.Names ?? []).ToDictionary(n => n, n => ExtensionCall.Create(n, extensions!), StringComparer.Ordinal);

    /// <summary>The built-in or extension of that name, or null.</summary>
    public Builtin? Builtin(string name) => _extensions.GetValueOrDefault(name) ?? BuiltinTable.Find(name);

    /// <summary>The node of a resolved function name, or null.</summary>
    public RuleNode? Function(Term name)
    {
        if (name is not ReferenceTerm { Head: VariableTerm { Name: "data" } } r)
            return null;
        var node = root;
        foreach (var key in r.Path)
        {
            if (key is not ConstantTerm c || node.Child(c.Value) is not { } child)
                return null;
            node = child;
        }

        return node.Kind == RuleNodeKind.Function ? node : null;
    }

    /// <summary>The number of arguments that a call takes; -1 if it varies, null if there is no such function.</summary>
    public int? Arity(CallTerm call) =>
        Function(call.Function)?.Arity ?? (TermNames.OfFunction(call.Function) is { } name ? Builtin(name)?.Arity : null);

    /// <summary>The last argument of a call, if there is one more than the function takes: it is the call's value.</summary>
    public Term? OutputOf(CallTerm call) =>
        Arity(call) is { } arity && arity >= 0 && call.Arguments.Count == arity + 1 ? call.Arguments[^1] : null;
}
