namespace Kist.Rego.Tests;

/// <summary>Short ways to evaluate a policy and to say what is expected.</summary>
static class Rego
{
    /// <summary>Evaluates <c>data.test.p</c> of a module that has these rules; null if undefined.</summary>
    public static RegoValue? P(string rules, string? input = null, string? data = null, RegoVersion version = RegoVersion.V1) =>
        Query("data.test.p", [$"package test\n{rules}"], input, data, version).Value;

    /// <summary>As <see cref="P"/>, as JSON text; "undefined" if undefined.</summary>
    public static string Json(string rules, string? input = null, string? data = null, RegoVersion version = RegoVersion.V1) =>
        P(rules, input, data, version)?.ToJson() ?? "undefined";

    public static RegoResult Query(string query, string[] modules, string? input = null, string? data = null, RegoVersion version = RegoVersion.V1, bool strict = false) =>
        RegoProgram.Compile(modules.Select((m, i) => new RegoModule($"test-{i}.rego", m)), new RegoCompileOptions { Version = version })
            .Evaluate(query, new RegoEvaluationOptions
            {
                Input = input is null ? null : RegoValue.FromJson(input),
                Data = data is null ? null : RegoValue.FromJson(data),
                StrictBuiltInErrors = strict,
            }, TestContext.Current.CancellationToken);

    /// <summary>The error that compiling or evaluating gives.</summary>
    public static RegoError Error(string rules, string? input = null, RegoVersion version = RegoVersion.V1) =>
        Assert.Throws<RegoException>(() => Query("data.test.p", [$"package test\n{rules}"], input, null, version, strict: true)).Errors[0];
}
