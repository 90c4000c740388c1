using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>
/// Turns one rule's resolved body into a chain of steps. Which variables are bound is followed from step to step, so
/// that at run time each place knows whether it binds or compares.
/// </summary>
sealed partial class BodyCompiler(ProgramContext program, string ruleName)
{
    private readonly Dictionary<string, int> _slots = [];
    private readonly TypeChecker _types = new(program);
    private HashSet<string> _bound = [];
    private List<(Step Step, Step LinkFrom)> _steps = [];
    private ExpressionNote? _note;
    private int _scratch;
    private int _temporary;

    /// <summary>What the rego.metadata functions give in this rule.</summary>
    public (RegoValue Rule, Func<RegoArray> Chain)? Metadata { get; init; }

    /// <summary>True in Rego v1, where functions that were deprecated in v0 are errors.</summary>
    public bool RefusesDeprecated { get; init; }

    public int SlotCount => _slots.Count;

    public int ScratchCount => _scratch;

    /// <summary>The variables that are bound where the compiler stands.</summary>
    public IReadOnlySet<string> Bound => _bound;

    /// <summary>Gives a variable its slot and takes it as bound: an argument.</summary>
    public void BindArgument(string name)
    {
        Slot(name);
        _bound.Add(name);
    }

    public int Slot(string name)
    {
        if (!_slots.TryGetValue(name, out var slot))
            _slots.Add(name, slot = _slots.Count);
        return slot;
    }

    /// <summary>Compiles a chain; what it binds is forgotten after it.</summary>
    public Step Chain(Func<BranchStep> build)
    {
        var (steps, bound, note) = (_steps, _bound, _note);
        (_steps, _bound) = ([], [.. bound]);
        Add(build());
        var first = Link();
        (_steps, _bound, _note) = (steps, bound, note);
        return first;
    }

    /// <summary>The expressions of a body, in a safe order.</summary>
    public void Body(Body body)
    {
        var note = _note;
        foreach (var e in new SafetyOrder(program.Functions, _bound).Order(body))
        {
            _note = NoteOf(e);
            Expression(e);
        }

        _note = note;
    }

    /// <summary>Matches an argument with a pattern.</summary>
    public void MatchSlot(int slot, Term pattern)
    {
        var lifted = Lift(pattern, everything: false);
        Add(IsGround(lifted) ? new EqualStep(new SlotNode(slot), Value(lifted)) : new MatchStep(new SlotNode(slot), PatternOf(lifted)));
    }

    private void Add(Step step, Step? linkFrom = null)
    {
        step.Note = _note;
        _steps.Add((step, linkFrom ?? step));
    }

    private Step Link()
    {
        for (var i = 0; i + 1 < _steps.Count; i++)
            _steps[i].LinkFrom.Next = _steps[i + 1].Step;
        return _steps[0].Step;
    }

    private void Expression(Expression e)
    {
        if (e.With.Count == 0)
        {
            Bare(e);
            return;
        }

        var replacements = e.With.Select(With).ToArray();
        var scratch = _scratch++;
        var outer = _steps;
        _steps = [];
        Bare(e);
        var end = new WithEndStep(scratch);
        Add(end);
        var inner = Link();
        _steps = outer;
        Add(new WithStep(replacements, inner, scratch), end);
    }

    private void Bare(Expression e)
    {
        switch (e)
        {
            case TermExpression { IsNegated: true } t:
                var term = LiftForNegation(t.Term);
                Add(new NotStep(Chain(() =>
                {
                    Truth(term);
                    return new FoundStep();
                })));
                break;
            case TermExpression t:
                Truth(t.Term);
                break;
            case SomeInExpression s:
                SomeIn(s);
                break;
            case EveryExpression every:
                Every(every);
                break;
            case NotExpression not:
                Add(new NotStep(Chain(() =>
                {
                    Body(not.Body);
                    return new FoundStep();
                })));
                break;
        }
    }

    private void SomeIn(SomeInExpression s)
    {
        var domain = Value(Lift(s.Domain, everything: false));
        var key = s.Key is null ? null : Lift(s.Key, everything: false);
        var value = Lift(s.Value, everything: false);
        Add(new SomeInStep(domain, key is null ? null : PatternOf(key), PatternOf(value)));
    }

    private void Every(EveryExpression every)
    {
        var domain = Value(Lift(every.Domain, everything: false));
        var key = every.Key is null ? -1 : Slot(every.Key.Name);
        var value = Slot(every.Value.Name);
        var body = Chain(() =>
        {
            if (every.Key is not null)
                _bound.Add(every.Key.Name);
            _bound.Add(every.Value.Name);
            Body(every.Body);
            return new FoundStep();
        });
        Add(new EveryStep(domain, key, value, body));
    }

    /// <summary>A term that must hold.</summary>
    private void Truth(Term term)
    {
        if (term is CallTerm call)
        {
            CheckCall(call);
            var mustMatch = call.IsCall(TermNames.Unify, out _);
            if (mustMatch || call.IsCall(TermNames.Equal, out _))
            {
                Unify(call.Arguments[0], call.Arguments[1], mustMatch);
                return;
            }

            if (program.Functions.OutputOf(call) is { } output)
            {
                Unify(output, call with { Arguments = call.Arguments.SkipLast(1).ToList() });
                return;
            }
        }

        Add(new TruthStep(Value(Lift(term, everything: false))));
    }

    /// <summary>Makes both sides equal, binding what is not bound. Sides that can never be equal are an error of <c>=</c>, not of <c>==</c>.</summary>
    private void Unify(Term left, Term right, bool mustMatch = false)
    {
        var pairs = Decomposition.Of(Lift(left, everything: false), Lift(right, everything: false)).ToList();
        while (pairs.Count > 0)
        {
            var i = pairs.FindIndex(p => IsGround(p.Left) || IsGround(p.Right));
            if (i < 0)
                throw new RegoException(RegoErrorCode.UnsafeVariable, "the variables of the expression are not bound by anything", left.At);
            var (a, b) = pairs[i];
            pairs.RemoveAt(i);
            if (mustMatch)
                _types.Match(a, b);
            if (IsGround(a))
                Match(a, b);
            else
                Match(b, a);
        }
    }

    private void Match(Term ground, Term other)
    {
        if (IsGround(other))
            Add(new EqualStep(Value(ground), Value(other)));
        else if (other is VariableTerm v)
            Bind(v, ground);
        else
            Add(new MatchStep(Value(ground), PatternOf(other)));
    }

    private void Bind(VariableTerm variable, Term value)
    {
        Add(new BindStep(Slot(variable.Name), Value(value)));
        _bound.Add(variable.Name);
        _types.Bind(variable.Name, value);
    }

    /// <summary>True if all variables outside closures are bound.</summary>
    private bool IsGround(Term term) => Outputs.IsSafe(term, _bound);

    private Pattern PatternOf(Term term)
    {
        switch (term)
        {
            case VariableTerm v when !IsGround(v):
                _bound.Add(v.Name);
                return new BindPattern(Slot(v.Name));
            case ArrayTerm a when !IsGround(a):
                return new ArrayPattern([.. a.Items.Select(PatternOf)]);
            case ObjectTerm o when !IsGround(o):
                return new ObjectPattern([.. o.Entries.Select(e => (Value(e.Key), PatternOf(e.Value)))]);
            default:
                return new ValuePattern(Value(term));
        }
    }
}
