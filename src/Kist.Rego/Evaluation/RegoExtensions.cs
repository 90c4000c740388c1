namespace Kist.Rego;

/// <summary>An extension function: gives a value, or null for undefined.</summary>
public delegate RegoValue? RegoExtensionFunction(IReadOnlyList<RegoValue> arguments);

/// <summary>Functions that a host adds to the language, such as <c>query_reference_value</c>.</summary>
public sealed class RegoExtensions
{
    private readonly Dictionary<string, (int Arity, RegoExtensionFunction Function)> _functions = new(StringComparer.Ordinal);

    /// <summary>The names that were added.</summary>
    public IEnumerable<string> Names => _functions.Keys;

    /// <summary>Adds a function.</summary>
    /// <param name="name">Its name as policies call it; it may have dots.</param>
    /// <param name="arity">The number of its arguments.</param>
    /// <param name="function">
    /// Its implementation. What it throws ends the evaluation with eval_builtin_error: undefined is for it to say, by null.
    /// </param>
    public RegoExtensions Add(string name, int arity, RegoExtensionFunction function)
    {
        _functions[name] = (arity, function);
        return this;
    }

    internal bool TryGet(string name, out int arity, out RegoExtensionFunction function)
    {
        var found = _functions.TryGetValue(name, out var entry);
        (arity, function) = entry;
        return found;
    }
}
