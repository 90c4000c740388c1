using Kist.Formats;
using Kist.Rego;

namespace Kist.Cli.Commands.Policy;

/// <summary>One case of OPA's conformance format: modules, data, input and a query, with the result or error it must give.</summary>
sealed class ConformanceCase
{
    private readonly RegoValue _case;

    private ConformanceCase(RegoValue testCase) => _case = testCase;

    public string Note => Text("note") ?? "";

    /// <summary>All cases of a document.</summary>
    /// <exception cref="MalformedDataException">It has none.</exception>
    public static IEnumerable<ConformanceCase> ReadAll(string text) =>
        RegoYaml.Read(text)["cases"] is RegoArray cases
            ? cases.Items.ToArray().Select(c => new ConformanceCase(c)).ToList()
            : throw new MalformedDataException("conformance cases", -1, "there is no member \"cases\"");

    /// <summary>The version of a file's modules: OPA keeps its cases below folders named after it; elsewhere either will do.</summary>
    public static RegoVersion VersionOf(string file)
    {
        var folders = Path.GetFullPath(file).Split('/');
        return folders.LastOrDefault(f => f is "v0" or "v1") switch
        {
            "v0" => RegoVersion.V0,
            "v1" when !folders.Contains("cases") || Array.LastIndexOf(folders, "v1") > Array.LastIndexOf(folders, "cases") => RegoVersion.V1,
            _ => RegoVersion.Either,
        };
    }

    /// <summary>Runs the case.</summary>
    /// <returns>Null if it gives what it must, otherwise what is wrong.</returns>
    public string? Run(RegoVersion version)
    {
        try
        {
            return Judge(Evaluate(version));
        }
        catch (RegoException e)
        {
            return Judge(e);
        }
    }

    private RegoResult Evaluate(RegoVersion version)
    {
        var modules = (_case["modules"] as RegoArray)?.Items.ToArray().Select((m, i) => new RegoModule($"test-{i}.rego", ((RegoString)m).Value)) ?? [];
        var program = RegoProgram.Compile(modules, new RegoCompileOptions { Version = version });
        return program.PrepareAsBody(Text("query")!).Evaluate(new RegoEvaluationOptions
        {
            Data = _case["data"] is RegoObject data ? data : RegoValue.ObjectOf(),
            Input = Text("input_term") is { } term ? program.Evaluate(term).Value : _case["input"] is { Type: not RegoType.Null } input ? input : null,
            StrictBuiltInErrors = _case["strict_error"] is { IsTrue: true },
            Runtime = _case["env"] is { } environment ? RegoValue.ObjectOf(("env", environment)) : RegoValue.ObjectOf(),
        });
    }

    private string? Judge(RegoException e)
    {
        if (Text("want_error_code") is { } code && e.Code != code)
            return $"error code {e.Code}, wanted {code}: {e.Message}";
        if (Text("want_error") is { } text && !e.Message.Contains(text, StringComparison.Ordinal))
            return $"error {e.Message}, wanted {text}";
        return (Text("want_error_code") ?? Text("want_error")) is not null ? null : $"unexpected error: {e.Message}";
    }

    private string? Judge(RegoResult result)
    {
        if (_case["want_result"] is RegoArray wanted)
        {
            var actual = RegoValue.SetOf([.. result.Rows.Select(Row)]);
            var expected = RegoValue.SetOf(wanted.Items);
            return actual == expected ? null : $"result {actual}\nwanted {expected}";
        }

        if (_case["want_defined"] is { } defined)
            return (result.Rows.Length > 0) == defined.IsTrue ? null : $"{result.Rows.Length} solutions, wanted defined: {defined}";
        return $"no error, wanted {Text("want_error_code")} {Text("want_error")}";
    }

    /// <summary>A row as JSON has it: sets are arrays.</summary>
    private RegoValue Row(RegoRow row)
    {
        var sort = _case["sort_bindings"] is { IsTrue: true };
        return RegoValue.ObjectOf([.. row.Bindings.Select(b =>
        {
            var value = RegoValue.FromJson(b.Value.ToJson());
            return (b.Key, sort && value is RegoArray array ? RegoValue.ArrayOf([.. array.Items.ToArray().Order()]) : value);
        })]);
    }

    private string? Text(string name) => (_case[name] as RegoString)?.Value;
}
