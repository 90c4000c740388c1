using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>
/// Puts a body's expressions in an order in which each finds the variables that it needs, keeping the written order
/// where that is possible. What needs a variable that nothing binds is unsafe.
/// </summary>
sealed class SafetyOrder(FunctionTable functions, IReadOnlySet<string> bound)
{
    private readonly HashSet<string> _safe = [.. bound];

    /// <summary>Orders a body.</summary>
    /// <exception cref="RegoException">rego_unsafe_var_error for each unsafe variable.</exception>
    public List<Expression> Order(Body body)
    {
        var mentioned = new HashSet<string>(_safe);
        foreach (var e in body.Expressions)
            Variables.Collect(e, mentioned);
        var waiting = new List<Expression>(body.Expressions);
        var ordered = new List<Expression>(waiting.Count);
        while (waiting.Count > 0)
        {
            var before = waiting.Count;
            // Each pass goes through what waits in order: an expression takes its place as soon as it can.
            for (var i = 0; i < waiting.Count;)
            {
                if (Missing(waiting[i], mentioned, out var outputs).Count > 0)
                {
                    i++;
                    continue;
                }

                _safe.UnionWith(outputs);
                ordered.Add(waiting[i]);
                waiting.RemoveAt(i);
            }

            if (waiting.Count == before)
                throw Unsafe(waiting, mentioned);
        }

        return ordered;
    }

    private HashSet<string> Missing(Expression e, HashSet<string> mentioned, out HashSet<string> outputs)
    {
        outputs = Outputs.Of(e, _safe, functions);
        var missing = new HashSet<string>();
        Variables.Collect(e, missing);
        missing.ExceptWith(outputs);
        var captured = new HashSet<string>();
        Variables.CollectClosures(e, captured);
        captured.IntersectWith(mentioned);
        missing.UnionWith(captured);
        missing.ExceptWith(_safe);
        return missing;
    }

    private RegoException Unsafe(List<Expression> waiting, HashSet<string> mentioned)
    {
        var errors = new List<RegoError>();
        var seen = new HashSet<string>();
        foreach (var e in waiting)
        {
            foreach (var name in Missing(e, mentioned, out _).Order(StringComparer.Ordinal))
            {
                if (seen.Add(name))
                {
                    var text = name.StartsWith('$') ? "_" : LocalNames.Written(name);
                    errors.Add(new RegoError(RegoErrorCode.UnsafeVariable, $"var {text} is unsafe", e.At));
                }
            }
        }

        return new RegoException([.. errors]);
    }
}
