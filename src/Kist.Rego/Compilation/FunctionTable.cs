using Kist.Rego.Builtins;
using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>What calls can call: built-ins, extensions, and functions that policies define.</summary>
sealed class FunctionTable(RuleNode root, RegoExtensions? extensions)
{
    private readonly Dictionary<string, Builtin> _extensions = new(StringComparer.Ordinal);

    /// <summary>The built-in or extension of that name, or null.</summary>
    public Builtin? Builtin(string name)
    {
        if (extensions is null || !extensions.TryGet(name, out var arity, out var function))
            return BuiltinTable.Find(name);
        if (!_extensions.TryGetValue(name, out var builtin))
            _extensions.Add(name, builtin = ExtensionCall.Create(name, arity, function));
        return builtin;
    }

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
