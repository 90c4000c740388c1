using System.Diagnostics;
using System.Runtime.CompilerServices;
using Kist.Rego.Builtins;

namespace Kist.Rego.Evaluation;

/// <summary>The state of one evaluation: its scope, its limits, and what it leaves behind.</summary>
sealed class RegoEvaluation
{
    private const int TicksBetweenChecks = 1024;

    [ThreadStatic]
    private static RegoEvaluation? t_current;

    private readonly RegoLimits _limits;
    private readonly CancellationToken _cancel;
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly long _allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
    private long _steps;
    private long _charged;
    private int _untilCheck = TicksBetweenChecks;
    private int _depth;
    private int _quiet;
    private readonly RegoTracer? _tracer;

    public RegoEvaluation(Scope scope, RegoEvaluationOptions options, CancellationToken cancel)
    {
        Scope = scope;
        Options = options;
        _limits = options.Limits;
        _cancel = cancel;
        _tracer = options.Trace ? new RegoTracer() : null;
        Coverage = options.Coverage;
        Documents = new Documents(this);
        Builtins = new BuiltinContext(this);
    }

    /// <summary>
    /// The evaluation that this thread is in, or null. Comparing and writing values count their steps in it: a value that
    /// holds parts of itself many times over is small in memory, and endless to walk.
    /// </summary>
    public static RegoEvaluation? Current => t_current;

    public Scope Scope { get; set; }

    public RegoEvaluationOptions Options { get; }

    public Documents Documents { get; }

    public BuiltinContext Builtins { get; }

    /// <summary>What <c>print</c> and <c>trace</c> said.</summary>
    public List<string> Prints { get; } = [];

    /// <summary>Where events go, or null: not asked for, or inside <c>not</c> and comprehensions, whose failures are no news.</summary>
    public RegoTracer? Tracer => _quiet == 0 ? _tracer : null;

    public RegoTracer? FinishedTrace => _tracer;

    public RegoCoverage? Coverage { get; }

    public long Steps => _steps + (TicksBetweenChecks - _untilCheck);

    /// <summary>Counts a step, and now and then checks the limits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Tick()
    {
        if (--_untilCheck <= 0)
            Check();
    }

    /// <summary>Counts the work of a built-in that looks at <paramref name="items"/> items or characters.</summary>
    public void Spend(long items)
    {
        const int Most = 1 << 30;
        _steps += Math.Max(0, items - Most);
        _untilCheck -= (int)Math.Min(items, Most);
        if (_untilCheck <= 0)
            Check();
    }

    /// <summary>Refuses memory before it is allocated.</summary>
    public void Charge(long bytes)
    {
        _charged = bytes;
        if (bytes >= 65_536)
            Check();
        _charged = 0;
    }

    /// <summary>Makes this the thread's evaluation until the guard is disposed.</summary>
    public CurrentGuard MakeCurrent()
    {
        var guard = new CurrentGuard(t_current);
        t_current = this;
        return guard;
    }

    public DepthGuard Enter(RuleNode node)
    {
        Tick();
        if (++_depth > _limits.MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Fault.Of(RegoErrorCode.Limit, $"rules are nested deeper than {_limits.MaxDepth} at {node.Path}", default);
        return new DepthGuard(this);
    }

    public QuietGuard Quiet()
    {
        _quiet++;
        return new QuietGuard(this);
    }

    public RegoValue? CallBuiltin(Builtin builtin, RegoValue[] arguments, RegoLocation at)
    {
        Tick();
        return Builtins.Call(builtin, arguments, at);
    }

    /// <summary>Calls what stands for a function; inside it the replaced functions are themselves again.</summary>
    public RegoValue? CallMock(Mock mock, RegoValue[] arguments, RegoLocation at)
    {
        if (mock.Value is not null)
            return mock.Value;
        var outer = Scope;
        Scope = new Scope(outer.Input, outer.Data) { Masked = outer.Masked };
        try
        {
            return mock.Function is not null ? Documents.Call(mock.Function, arguments) : CallBuiltin(mock.Builtin!, arguments, at);
        }
        finally
        {
            Scope = outer;
        }
    }

    private void Check()
    {
        _steps += TicksBetweenChecks - _untilCheck;
        _untilCheck = TicksBetweenChecks;
        if (_cancel.IsCancellationRequested)
            throw Fault.Of(RegoErrorCode.Cancelled, "caller cancelled query execution", default);
        if (_steps > _limits.MaxSteps)
            throw Fault.Of(RegoErrorCode.Limit, $"the evaluation took more than {_limits.MaxSteps} steps", default);
        if (GC.GetAllocatedBytesForCurrentThread() - _allocatedBefore + _charged > _limits.MaxMemoryBytes)
            throw Fault.Of(RegoErrorCode.Limit, $"the evaluation allocated more than {_limits.MaxMemoryBytes} bytes", default);
        if (Stopwatch.GetElapsedTime(_started) > _limits.Timeout)
            throw Fault.Of(RegoErrorCode.Limit, $"the evaluation took longer than {_limits.Timeout}", default);
    }

    internal readonly ref struct DepthGuard(RegoEvaluation evaluation)
    {
        public void Dispose() => evaluation._depth--;
    }

    internal readonly ref struct CurrentGuard(RegoEvaluation? outer)
    {
        public void Dispose() => t_current = outer;
    }

    internal readonly ref struct QuietGuard(RegoEvaluation evaluation)
    {
        public void Dispose() => evaluation._quiet--;
    }
}
