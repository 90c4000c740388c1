using System.Collections.Concurrent;
using Kist.Rego.Compilation;
using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego;

/// <summary>
/// Compiled policies. A program is immutable: it may be cached, and evaluated by many threads at once.
/// </summary>
public sealed class RegoProgram
{
    private const int MaxCachedQueries = 256;

    private readonly ProgramContext _context;
    private readonly RegoCompileOptions _options;
    private readonly ConcurrentDictionary<string, RegoQuery> _queries = new(StringComparer.Ordinal);

    private RegoProgram(ProgramContext context, RegoCompileOptions options)
    {
        _context = context;
        _options = options;
    }

    /// <summary>Compiles modules of Rego v1.</summary>
    /// <exception cref="RegoException">What is wrong with them.</exception>
    public static RegoProgram Compile(IEnumerable<RegoModule> modules) => Compile(modules, new RegoCompileOptions());

    /// <summary>Compiles modules.</summary>
    /// <exception cref="RegoException">What is wrong with them.</exception>
    public static RegoProgram Compile(IEnumerable<RegoModule> modules, RegoCompileOptions options) =>
        new(ProgramCompiler.Compile(modules, options), options);

    /// <summary>Compiles one module.</summary>
    /// <exception cref="RegoException">What is wrong with it.</exception>
    public static RegoProgram Compile(string name, string text, RegoVersion version = RegoVersion.V1) =>
        Compile([new RegoModule(name, text)], new RegoCompileOptions { Version = version });

    /// <summary>
    /// The names of all rules and functions, <c>data.package.rule</c>, in the order of their names.
    /// </summary>
    public IReadOnlyList<string> RuleNames =>
        [.. _context.Root.Subtree().Where(n => n.HasRules).Select(n => n.Path).Order(StringComparer.Ordinal)];

    /// <summary>Compiles a query such as <c>data.policy.allow</c> or <c>x := data.policy.deny[_]; x != ""</c>.</summary>
    /// <exception cref="RegoException">What is wrong with it.</exception>
    public RegoQuery Prepare(string query)
    {
        if (_queries.TryGetValue(query, out var prepared))
            return prepared;
        prepared = QueryCompiler.Compile(_context, Parser.ParseQuery(query, RegoVersion.V1), reportsFalse: true);
        if (_queries.Count < MaxCachedQueries)
            _queries.TryAdd(query, prepared);
        return prepared;
    }

    /// <summary>
    /// Compiles a query as the body of a rule: an expression whose value is false gives no solution, even if it stands alone.
    /// </summary>
    /// <exception cref="RegoException">What is wrong with it.</exception>
    public RegoQuery PrepareAsBody(string query) =>
        QueryCompiler.Compile(_context, Parser.ParseQuery(query, RegoVersion.V1), reportsFalse: false);

    /// <summary>Evaluates a query; prepared queries are remembered.</summary>
    /// <exception cref="RegoException">The query is wrong, rules conflict, or a limit was exceeded.</exception>
    public RegoResult Evaluate(
        string query, RegoValue? input = null, RegoValue? data = null, RegoLimits? limits = null, CancellationToken cancellationToken = default) =>
        Evaluate(query, new RegoEvaluationOptions { Input = input, Data = data, Limits = limits ?? RegoLimits.Default }, cancellationToken);

    /// <inheritdoc cref="Evaluate(string, RegoValue?, RegoValue?, RegoLimits?, CancellationToken)"/>
    public RegoResult Evaluate(string query, RegoEvaluationOptions options, CancellationToken cancellationToken = default) =>
        Prepare(query).Evaluate(options, cancellationToken);

    /// <summary>The version that modules are parsed in.</summary>
    internal RegoVersion Version => _options.Version;
}
