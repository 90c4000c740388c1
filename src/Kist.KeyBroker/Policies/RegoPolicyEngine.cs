using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using Kist.Formats;
using Kist.Rego;

namespace Kist.KeyBroker.Policies;

/// <summary>Policies in Rego, compiled once and cached by their text.</summary>
sealed class RegoPolicyEngine(TimeProvider time) : IPolicyEngine
{
    private const int MaxCached = 512;
    private const int MaxTraceLines = 100;
    private const int MaxTraceValueLength = 200;

    private static readonly RegoLimits Limits = new() { MaxSteps = 5_000_000, MaxMemoryBytes = 128L * 1024 * 1024, Timeout = TimeSpan.FromSeconds(5) };

    // What the functions do is given with each evaluation; here they only get their names and numbers of arguments.
    private static readonly RegoCompileOptions CompileOptions = new()
    {
        Version = RegoVersion.Either,
        Extensions = new RegoExtensions()
            .Add("query_reference_value", 1, _ => null)
            .Add("query_reference_sets", 2, _ => null),
    };

    private readonly ConcurrentDictionary<string, RegoProgram> _programs = new(StringComparer.Ordinal);

    public void Check(string name, string text)
    {
        try
        {
            RegoProgram.Compile([new RegoModule(name, text)], CompileOptions);
        }
        catch (RegoException e)
        {
            throw new MalformedDataException("policy", -1, e.Message, e);
        }
    }

    public PolicyAnswer Evaluate(
        string name, string text, string query, JsonElement input, JsonElement data, IReferenceLookup? references, CancellationToken cancellationToken)
    {
        var inputValue = RegoValue.FromJson(input);
        var options = new RegoEvaluationOptions
        {
            Input = inputValue,
            Data = RegoValue.FromJson(data),
            Limits = Limits,
            Extensions = Functions(references, new PolicyInput(input, inputValue)),
            Clock = time,
        };
        try
        {
            var program = ProgramOf(name, text);
            var result = program.Evaluate(query, options, cancellationToken);
            return new PolicyAnswer(
                result.Value is null ? null : ToJson(result.Value),
                new Lazy<ImmutableArray<string>>(() => Trace(program, query, options, cancellationToken)));
        }
        catch (RegoException e)
        {
            throw new PolicyFailedException($"{name}: {e.Message}", e);
        }
    }

    // Tracing costs several times the evaluation, and is wanted only when something was refused: it is done again for it.
    private static ImmutableArray<string> Trace(RegoProgram program, string query, RegoEvaluationOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var trace = program.Evaluate(query, options with { Trace = true }, cancellationToken).Trace;
            return trace is null ? [] : [.. trace.Failures.Take(MaxTraceLines).Select(Describe)];
        }
        catch (RegoException e)
        {
            return [$"the trace could not be made: {e.Message}"];
        }
    }

    private static string Describe(RegoTraceEvent failure)
    {
        var values = failure.Values.Select(v => $"{v.Term} = {(v.Value is null ? "undefined" : Shorten(v.Value.ToString() ?? ""))}");
        return $"{failure.Rule} at {failure.Location}: {failure.Text} does not hold ({string.Join(", ", values)})";
    }

    private static string Shorten(string text) => text.Length <= MaxTraceValueLength ? text : text[..MaxTraceValueLength] + "…";

    private static RegoExtensions Functions(IReferenceLookup? references, PolicyInput input) => new RegoExtensions()
        .Add("query_reference_value", 1, arguments =>
            arguments[0] is RegoString name && references?.ValueOf(name.Value) is { } value ? RegoValue.FromJson(value) : RegoValue.Null)
        .Add("query_reference_sets", 2, arguments =>
        {
            if (references is null || arguments[0] is not RegoString tee)
                return RegoValue.ArrayOf();
            return RegoValue.ArrayOf([.. references.MatchingSets(tee.Value, input.JsonOf(arguments[1])).Select(RegoValue.Of)]);
        });

    // By the text itself: what runs is what was compiled from exactly these characters.
    private RegoProgram ProgramOf(string name, string text)
    {
        if (_programs.TryGetValue(text, out var program))
            return program;
        program = RegoProgram.Compile([new RegoModule(name, text)], CompileOptions);
        if (_programs.Count >= MaxCached)
            _programs.Clear();
        _programs[text] = program;
        return program;
    }

    private static JsonElement ToJson(RegoValue value)
    {
        using var document = JsonDocument.Parse(value.ToJson());
        return document.RootElement.Clone();
    }
}
