namespace Kist.Rego.Syntax;

/// <summary>Reading and making the names of functions and operators in terms.</summary>
static class TermNames
{
    public const string Unify = "eq";
    public const string Assign = "assign";
    public const string Equal = "equal";
    public const string Member2 = "internal.member_2";
    public const string Member3 = "internal.member_3";

    /// <summary>The dotted name of a call's function, or null where it is not one (a path under <c>data</c> with strings that are no names).</summary>
    public static string? OfFunction(Term function) => function switch
    {
        VariableTerm v => v.Name,
        FunctionNameTerm f => f.Name,
        ReferenceTerm { Head: VariableTerm v } r when r.Path.All(k => k is ConstantTerm { Value: RegoString }) =>
            string.Join('.', r.Path.Select(k => ((RegoString)((ConstantTerm)k).Value).Value).Prepend(v.Name)),
        _ => null,
    };

    /// <summary>The call of an operator.</summary>
    public static CallTerm Operator(RegoLocation at, string name, params Term[] arguments) =>
        new(at, new VariableTerm(at, name), arguments);

    /// <summary>True if the term calls the operator of that name.</summary>
    public static bool IsCall(this Term term, string name, out CallTerm call)
    {
        call = (term as CallTerm)!;
        return call is { Function: VariableTerm v } && v.Name == name;
    }
}
