using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>The variables that an expression binds, given those that are bound already.</summary>
static class Outputs
{
    public static HashSet<string> Of(Expression e, IReadOnlySet<string> safe, FunctionTable functions)
    {
        var all = new HashSet<string>(safe);
        if (!e.IsNegated && e.With.All(w => IsSafe(w.Value, safe)))
            new Inference(all, functions).Add(e);
        all.ExceptWith(safe);
        return all;
    }

    /// <summary>True if all variables outside closures are safe.</summary>
    public static bool IsSafe(Term term, IReadOnlySet<string> safe)
    {
        switch (term)
        {
            case VariableTerm v:
                return Variables.IsRoot(v.Name) || safe.Contains(v.Name);
            case ReferenceTerm r:
                return IsSafe(r.Head, safe) && r.Path.All(k => IsSafe(k, safe));
            case CallTerm c:
                return c.Arguments.All(a => IsSafe(a, safe));
            default:
                return Variables.Items(term).All(i => IsSafe(i, safe));
        }
    }

    private sealed class Inference(HashSet<string> safe, FunctionTable functions)
    {
        public void Add(Expression e)
        {
            // One reference may bind what another needs: repeat until nothing changes.
            int before;
            do
            {
                before = safe.Count;
                switch (e)
                {
                    case TermExpression t:
                        AddTerm(t.Term);
                        break;
                    case SomeInExpression s:
                        AddReferences(s.Domain);
                        if (IsSafe(s.Domain, safe))
                        {
                            if (s.Key is not null)
                                Bind(s.Key);
                            Bind(s.Value);
                        }

                        break;
                    case EveryExpression every:
                        AddReferences(every.Domain);
                        break;
                }
            }
            while (safe.Count > before);
        }

        private void AddTerm(Term term)
        {
            AddReferences(term);
            if (term is not CallTerm call)
                return;
            if (call.Arguments.Count == 2 && call.IsCall(TermNames.Unify, out _))
                Unify(call.Arguments[0], call.Arguments[1]);
            else if (functions.OutputOf(call) is { } output && call.Arguments.SkipLast(1).All(a => IsSafe(a, safe)))
                Bind(output);
        }

        /// <summary>References bind the variables among their keys once their head is safe.</summary>
        private void AddReferences(Term term)
        {
            switch (term)
            {
                case ReferenceTerm r:
                    AddReferences(r.Head);
                    foreach (var key in r.Path)
                        AddReferences(key);
                    if (IsSafe(r.Head, safe))
                    {
                        foreach (var key in r.Path)
                            Bind(key);
                    }

                    break;
                case CallTerm c:
                    foreach (var argument in c.Arguments)
                        AddReferences(argument);
                    break;
                default:
                    foreach (var item in Variables.Items(term))
                        AddReferences(item);
                    break;
            }
        }

        private void Bind(Term pattern) => Variables.CollectPattern(pattern, safe);

        private void Unify(Term a, Term b)
        {
            foreach (var (left, right) in Decomposition.Of(a, b))
            {
                if (IsSafe(left, safe))
                    Bind(right);
                if (IsSafe(right, safe))
                    Bind(left);
            }
        }
    }
}
