using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>
/// The local variables that are in scope at a place. What <c>:=</c>, <c>some</c>, <c>every</c> and arguments declare is
/// given a name of its own, so that afterwards equal names mean equal variables.
/// </summary>
sealed class LocalNames(LocalNames? outer, bool isArguments)
{
    private const char Mark = '\'';

    private readonly Dictionary<string, string> _declared = [];
    private readonly HashSet<string> _toDeclare = [];
    private readonly HashSet<string> _used = [];

    public LocalNames? Outer => outer;

    /// <summary>The name that a variable was written with.</summary>
    public static string Written(string name)
    {
        var mark = name.IndexOf(Mark);
        return mark < 0 ? name : name[..mark];
    }

    /// <summary>Announces what the body will declare: such a name is never a rule's or an import's.</summary>
    public void Announce(IEnumerable<string> names) => _toDeclare.UnionWith(names);

    /// <summary>Declares a variable.</summary>
    /// <returns>Its unique name.</returns>
    public string Declare(VariableTerm variable, string how, ref int next)
    {
        if (_declared.ContainsKey(variable.Name))
            throw new RegoException(RegoErrorCode.Compile, $"var {variable.Name} {how} above", variable.At);
        if (_used.Contains(variable.Name))
            throw new RegoException(RegoErrorCode.Compile, $"var {variable.Name} referenced above", variable.At);
        if (outer is not null && outer.IsArgument(variable.Name) && !isArguments)
            throw new RegoException(RegoErrorCode.Compile, $"arg {variable.Name} redeclared", variable.At);
        return _declared[variable.Name] = $"{variable.Name}{Mark}{next++}";
    }

    /// <summary>
    /// The unique name of a declared variable; the name itself if it will be declared later; null if it is no declared
    /// variable at all.
    /// </summary>
    public string? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._declared.TryGetValue(name, out var unique))
                return unique;
        }

        // A closure may use the name for a variable of its own before the body around it declares one.
        _used.Add(name);
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._toDeclare.Contains(name))
                return name;
        }

        return null;
    }

    private bool IsArgument(string name) => isArguments && _declared.ContainsKey(name);
}
