using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>Compiles modules: parse, place, resolve, order, emit, check.</summary>
sealed class ProgramCompiler
{
    private readonly List<RegoError> _errors = [];
    private readonly RegoCompileOptions _options;

    private ProgramCompiler(RegoCompileOptions options) => _options = options;

    /// <summary>Compiles.</summary>
    /// <exception cref="RegoException">All errors of the first stage that has any.</exception>
    public static ProgramContext Compile(IEnumerable<RegoModule> modules, RegoCompileOptions options) =>
        new ProgramCompiler(options).Compile([.. modules]);

    private ProgramContext Compile(List<RegoModule> modules)
    {
        var parsed = Collect(modules, m => Parser.ParseModule(m, _options.Version));
        ThrowIfErrors();
        var tree = new RuleTreeBuilder(_errors);
        var placed = parsed.Select(m => (Module: m, Rules: Place(tree, m))).ToList();
        tree.CheckConflicts();
        ThrowIfErrors();
        var lines = modules.DistinctBy(m => m.Name).ToDictionary(m => m.Name, m => m.Text.Split('\n'));
        var context = new ProgramContext(tree.Root, new FunctionTable(tree.Root, _options.Extensions), lines);
        var dependencies = new Dependencies(context);
        var metadata = new Metadata();
        foreach (var (module, rules) in placed)
        {
            metadata.AddPackage(module);
            rules.ForEach(r => metadata.AddRule(r.Node, r.Syntax));
        }

        var names = parsed.ToLookup(PackageOf, m => m.Rules.Select(r => r.Head.Name));
        foreach (var (module, rules) in placed)
        {
            var globals = Globals(module, names[PackageOf(module)].SelectMany(n => n));
            Collect(rules, r => Rule(context, dependencies, globals, r, new RuleContext(module.IsV1, () => metadata.Chain(module, r.Node, r.Syntax))));
        }

        ThrowIfErrors();
        dependencies.Check(_errors);
        ThrowIfErrors();
        foreach (var node in tree.Root.Subtree())
            node.FirstDecides = FirstDecides(node);
        return context;
    }

    private static string PackageOf(ModuleSyntax module) => string.Join('\0', module.Package);

    private static List<PlacedRule> Place(RuleTreeBuilder tree, ModuleSyntax module)
    {
        var package = tree.Package(module);
        return [.. module.Rules.Select(r => new PlacedRule(r, tree.Place(package, r).Node))];
    }

    /// <summary>What names mean in a module: its package's rules, over its imports.</summary>
    private static Dictionary<string, Term> Globals(ModuleSyntax module, IEnumerable<string> names)
    {
        var globals = new Dictionary<string, Term>(StringComparer.Ordinal);
        foreach (var import in module.Imports)
            globals[import.Name] = Reference(import.At, import.Root, import.Path);
        foreach (var name in names)
            globals[name] = Reference(default, "data", [.. module.Package, name]);
        return globals;
    }

    private static Term Reference(RegoLocation at, string root, IReadOnlyList<string> path)
    {
        var head = new VariableTerm(at, root);
        return path.Count == 0 ? head : new ReferenceTerm(at, head, path.Select(p => new ConstantTerm(at, new RegoString(p))).ToArray());
    }

    private static bool Rule(ProgramContext context, Dependencies dependencies, Dictionary<string, Term> globals, PlacedRule placed, RuleContext rule)
    {
        var resolved = new Resolver(globals).Rule(placed.Syntax);
        dependencies.Add(placed.Node, resolved);
        var compiled = RuleCompiler.Compile(context, placed.Node, resolved, rule);
        if (!placed.Syntax.IsDefault)
            placed.Node.Rules.Add(compiled);
        else if (placed.Node.Default is null)
            placed.Node.Default = compiled;
        else
            throw new RegoException(RegoErrorCode.Type, $"multiple default rules {placed.Node.Path} found", placed.Syntax.At);
        return true;
    }

    private static bool FirstDecides(RuleNode node)
    {
        if (node.Kind is not (RuleNodeKind.Complete or RuleNodeKind.Function) || node.Rules.Count == 0)
            return false;
        var first = (node.Rules[0].Value as ConstantNode)?.Value;
        return first is not null && node.Rules.SelectMany(WithElse).All(r => r.Value is ConstantNode c && c.Value.Equals(first));
    }

    private static IEnumerable<CompiledRule> WithElse(CompiledRule rule)
    {
        for (var r = rule; r is not null; r = r.Else)
            yield return r;
    }

    private List<TOut> Collect<TIn, TOut>(IEnumerable<TIn> items, Func<TIn, TOut> convert)
    {
        var results = new List<TOut>();
        foreach (var item in items)
        {
            try
            {
                results.Add(convert(item));
            }
            catch (RegoException e)
            {
                _errors.AddRange(e.Errors);
            }
        }

        return results;
    }

    private void ThrowIfErrors()
    {
        if (_errors.Count > 0)
            throw new RegoException([.. _errors]);
    }

    private sealed record PlacedRule(RuleSyntax Syntax, RuleNode Node);
}
