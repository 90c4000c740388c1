using Kist.Rego.Builtins;

namespace Kist.Rego.Evaluation;

/// <summary>A call of a built-in function.</summary>
sealed class BuiltinNode(Builtin builtin, TermNode[] arguments, RegoLocation at) : TermNode
{
    public Builtin Builtin => builtin;

    public override RegoValue? Evaluate(Activation a)
    {
        var evaluation = a.Evaluation;
        var values = Arguments.Evaluate(arguments, a);
        if (values is null)
            return null;
        if (evaluation.Scope.Mocks is { } mocks && mocks.TryGetValue(builtin, out var mock))
            return evaluation.CallMock(mock, values, at);
        return evaluation.CallBuiltin(builtin, values, at);
    }
}

/// <summary>A call of a function that a policy defines.</summary>
sealed class FunctionNode(RuleNode function, TermNode[] arguments, RegoLocation at) : TermNode
{
    public override RegoValue? Evaluate(Activation a)
    {
        var evaluation = a.Evaluation;
        var values = Arguments.Evaluate(arguments, a);
        if (values is null)
            return null;
        if (evaluation.Scope.Mocks is { } mocks && mocks.TryGetValue(function, out var mock))
            return evaluation.CallMock(mock, values, at);
        return evaluation.Documents.Call(function, values);
    }
}

static class Arguments
{
    public static RegoValue[]? Evaluate(TermNode[] arguments, Activation a)
    {
        var values = new RegoValue[arguments.Length];
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i].Evaluate(a) is not { } value)
                return null;
            values[i] = value;
        }

        return values;
    }
}
