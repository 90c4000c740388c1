using Kist.Cli.Commands.Policy;

namespace Kist.Rego.Tests;

/// <summary>OPA's own cases are not part of this repository. Where a copy lies beside it, KIST_OPA_CASES names its directory.</summary>
public class ConformanceTests
{
    [Fact]
    public void Cases_OfOpa_GiveWhatTheyMust()
    {
        var directory = Environment.GetEnvironmentVariable("KIST_OPA_CASES");
        Assert.SkipWhen(directory is null, "KIST_OPA_CASES names no directory of conformance cases");
        var problems = new List<string>();
        var count = 0;
        foreach (var file in Directory.EnumerateFiles(directory!, "*.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var version = ConformanceCase.VersionOf(file);
            foreach (var testCase in ConformanceCase.ReadAll(File.ReadAllText(file)))
            {
                count++;
                if (testCase.Run(version) is { } problem)
                    problems.Add($"{testCase.Note}: {problem}");
            }
        }

        Assert.NotEqual(0, count);
        Assert.True(problems.Count == 0, $"{count - problems.Count} passed, {problems.Count} failed\n{string.Join("\n", problems)}");
    }

    [Fact]
    public void Run_OfEachKindOfExpectation_JudgesRightly()
    {
        var notes = ConformanceCase.ReadAll(
            """
            cases:
              - note: good/result
                query: data.a.p = x
                modules: ["package a\np contains input.name"]
                input: {name: 1}
                want_result: [{x: [1]}]
              - note: bad/result
                query: data.a.p = x
                modules: ["package a\np := 2"]
                want_result: [{x: 1}]
              - note: good/error
                query: data.a.p = x
                modules: ["package a\np := 1 / 0"]
                strict_error: true
                want_error_code: eval_builtin_error
                want_error: divide by zero
              - note: bad/error
                query: data.a.p = x
                modules: ["package a\np := 1 / 0"]
                want_error_code: eval_builtin_error
              - note: good/term
                query: input.s = x
                input_term: '{"s": {1, 2}}'
                want_result: [{x: [1, 2]}]
              - note: good/sorted
                query: data.a.p = x
                modules: ["package a\np := [3, 1]"]
                sort_bindings: true
                want_result: [{x: [1, 3]}]
            """).Select(c => (c.Note, c.Run(RegoVersion.V1) is null));
        Assert.All(notes, n => Assert.Equal(n.Note.StartsWith("good", StringComparison.Ordinal), n.Item2));
    }
}
