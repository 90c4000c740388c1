namespace Kist.Rego;

/// <summary>The built-in functions, for tools that list them.</summary>
public static class RegoBuiltins
{
    /// <summary>Their names, in order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Builtins.BuiltinTable.Names.Order(StringComparer.Ordinal)];
}
