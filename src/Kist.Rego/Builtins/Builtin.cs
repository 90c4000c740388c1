namespace Kist.Rego.Builtins;

/// <summary>
/// The body of a built-in function. It gives null where the call is undefined or has failed; failures are reported
/// through the context.
/// </summary>
delegate RegoValue? BuiltinBody(BuiltinContext context, ReadOnlySpan<RegoValue> arguments);

/// <summary>A built-in function.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Arity">The number of its arguments; -1 if that varies.</param>
/// <param name="Body">What it does.</param>
sealed record Builtin(string Name, int Arity, BuiltinBody Body)
{
    /// <summary>True for a relation: the body gives an array of all its values.</summary>
    public bool IsRelation { get; init; }

    /// <summary>The name that error messages use; operators have symbols.</summary>
    public string DisplayName => Name;

    public bool Equals(Builtin? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
