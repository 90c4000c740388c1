using CsCheck;

namespace Kist.Rego.Tests;

/// <summary>Whatever a policy's text is, and whatever it does, only RegoException comes out, and soon.</summary>
public class RobustnessTests
{
    private static readonly RegoLimits Tight = new() { MaxSteps = 200_000, MaxMemoryBytes = 64L * 1024 * 1024, Timeout = TimeSpan.FromSeconds(2) };

    private static readonly string[] Words =
    [
        "package a", "\n", " ", "p", "q", "x", "y", "_", "if", "contains", "some", "every", "in", "not", "with", "as", "else", "default", "import", "data", "input",
        ":=", "=", "==", "!=", "<", "+", "-", "*", "/", "%", "|", "&", "(", ")", "[", "]", "{", "}", ",", ";", ":", ".", "\"s\"", "`r`", "$\"t{x}\"", "1", "2.5", "-3",
        "true", "null", "set()", "count", "sprintf", "walk", "{x | x := [1,2][_]}", "p[x]", "input.a[_]", "f(x)", "#c\n", "rego.v1", "future.keywords",
    ];

    private static readonly Gen<string> Programs = AnyOf(Words).Array[0, 40].Select(w => "package a\n" + string.Join(' ', w));

    private static readonly Gen<string> Expressions = Gen.Recursive<string>((depth, gen) => depth > 4
        ? AnyOf("1", "\"a\"", "x", "y", "input", "input.a", "[]", "null", "data.a.q", "{1, 2}", "_")
        : Gen.OneOf(
            AnyOf("0", "x", "input.a[x]", "\"b\""),
            Gen.Select(gen, AnyOf("+", "-", "*", "/", "%", "==", "=", ":=", "in", "|", "&", "<"), gen, (a, op, b) => $"{a} {op} {b}"),
            gen.Select(a => $"[{a}, x]"),
            gen.Select(a => $"{{\"k\": {a}}}"),
            gen.Select(a => $"({a})"),
            Gen.Select(gen, gen, (a, b) => $"[{a} | {b}]"),
            Gen.Select(gen, gen, (a, b) => $"{{{a}: {b} | x = input.a[_]}}"),
            Gen.Select(AnyOf([.. RegoBuiltins.Names]), gen.Array[0, 3], (f, a) => $"{f}({string.Join(", ", a)})"),
            gen.Select(a => $"{a}[_]"),
            gen.Select(a => $"$\"<{{{a}}}>\"")));

    private static Gen<string> AnyOf(params string[] words) => Gen.Int[0, words.Length - 1].Select(i => words[i]);

    private static void Try(string module)
    {
        try
        {
            var program = RegoProgram.Compile("fuzz.rego", module, RegoVersion.Either);
            program.Evaluate("data.a", RegoValue.FromJson("""{"a": [1, "x", {"b": [null, true]}]}"""), null, Tight, TestContext.Current.CancellationToken);
        }
        catch (RegoException)
        {
            // The one exception that is allowed.
        }
    }

    [Fact]
    public void Compile_OfRandomWords_ThrowsNothingElse() => Programs.Sample(Try, iter: 3_000, print: p => p);

    [Fact]
    public void Compile_OfRandomCharacters_ThrowsNothingElse() =>
        Gen.String[Gen.Char[' ', '\u2100'], 0, 60].Sample(s => Try("package a\n" + s), iter: 2_000, print: p => p);

    [Fact]
    public void Evaluate_OfRandomExpressions_ThrowsNothingElse() =>
        Expressions.Sample(e => Try($"package a\nq := [1, 2]\np contains x if {{ x := 1; y := input.a; {e} }}\nr := {e}"), iter: 3_000, print: p => p);

    [Theory]
    [InlineData("p := numbers.range(1, 100000000000)")]
    [InlineData("p := [1 | numbers.range(1, 5000)[_] < numbers.range(1, 5000)[_]]")]
    [InlineData("p := count({[x, y, z] | x := numbers.range(1, 1000)[_]; y := numbers.range(1, 1000)[_]; z := numbers.range(1, 1000)[_]})")]
    [InlineData("p if every x in numbers.range(1, 1000) { every y in numbers.range(1, 1000) { x + y > 0 } }")]
    [InlineData("p := net.cidr_expand(\"::/16\")")]
    [InlineData("p := regex.match(\"(a{1,500}){1,500}\", \"aaaa\")")]
    public void Evaluate_OfEndlessWork_EndsByItsLimits(string rule)
    {
        try
        {
            var value = RegoProgram.Compile("t.rego", $"package a\n{rule}").Evaluate("data.a.p", null, null, Tight, TestContext.Current.CancellationToken).Value;
            Assert.True(value is null or { IsTrue: true }, "the work was done in full");
        }
        catch (RegoException e)
        {
            Assert.Equal(RegoErrorCode.Limit, e.Code);
        }
    }

    [Fact]
    public void Evaluate_OfDoublingStrings_EndsByItsMemory()
    {
        var rules = string.Concat(Enumerable.Range(1, 40).Select(i => $"s{i} := concat(\"\", [s{i - 1}, s{i - 1}])\n"));
        var program = RegoProgram.Compile("t.rego", $"package a\ns0 := \"abcdefgh\"\n{rules}");
        var e = Assert.Throws<RegoException>(() => program.Evaluate("data.a.s40", null, null, Tight, TestContext.Current.CancellationToken));
        Assert.Equal(RegoErrorCode.Limit, e.Code);
    }

    [Theory]
    [InlineData("p := json.marshal(x40)")]
    [InlineData("p := sprintf(\"%v\", [x40])")]
    [InlineData("p := yaml.marshal(x40)")]
    [InlineData("p := x40")]
    [InlineData("p if x40 == y40")]
    [InlineData("p := {x40, y40, 1}")]
    [InlineData("p if x40 < y40")]
    [InlineData("p := object.subset({1: x40}, {1: y40})")]
    public void Evaluate_OfValuesThatShareTheirParts_EndsByItsLimits(string rule)
    {
        var chains = string.Concat(Enumerable.Range(1, 40).Select(i => $"x{i} := [x{i - 1}, x{i - 1}]\ny{i} := [y{i - 1}, y{i - 1}]\n"));
        var program = RegoProgram.Compile("t.rego", $"package a\nx0 := [input]\ny0 := [input]\n{chains}{rule}");
        var e = Assert.Throws<RegoException>(() => program.Evaluate("data.a.p", RegoValue.FromJson("[1]"), null, Tight, TestContext.Current.CancellationToken));
        Assert.Equal(RegoErrorCode.Limit, e.Code);
    }

    [Theory]
    [InlineData("p := x if { x := f0(1) }", "f{0}(x) := f{1}(x)")]
    [InlineData("p := r0", "r{0} := [r{1}]")]
    public void Evaluate_OfLongChains_EndsByItsDepth(string first, string link)
    {
        var links = string.Join('\n', Enumerable.Range(0, 20_000).Select(i => string.Format(System.Globalization.CultureInfo.InvariantCulture, link, i, i + 1)));
        var module = $"package a\n{first}\n{links}\nf20000(x) := x\nr20000 := 1";
        var e = Assert.Throws<RegoException>(() => RegoProgram.Compile("t.rego", module).Evaluate("data.a.p", null, null, Tight, TestContext.Current.CancellationToken));
        Assert.Equal(RegoErrorCode.Limit, e.Code);
    }

    [Theory]
    [InlineData("[", "]")]
    [InlineData("{1:", "}")]
    [InlineData("(", ")")]
    [InlineData("[1|", "]")]
    [InlineData("f(", ")")]
    [InlineData("$\"{", "}\"")]
    [InlineData("1+", "")]
    [InlineData("{", "}")]
    public void Compile_OfDeepNesting_IsRefused(string open, string close)
    {
        var text = string.Concat(Enumerable.Repeat(open, 50_000)) + "1" + string.Concat(Enumerable.Repeat(close, 50_000));
        Assert.Equal(RegoErrorCode.Parse, Assert.Throws<RegoException>(() => RegoProgram.Compile("t.rego", $"package a\np := {text}")).Code);
    }

    [Fact]
    public void Evaluate_WhenCancelled_Ends()
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        var program = RegoProgram.Compile("t.rego", "package a\np := count([1 | numbers.range(1, 100000)[_]])");
        var e = Assert.Throws<RegoException>(() => program.Evaluate("data.a.p", null, null, RegoLimits.Default, cancel.Token));
        Assert.Equal(RegoErrorCode.Cancelled, e.Code);
    }

    [Fact]
    public void Evaluate_ByManyThreads_GivesTheSame()
    {
        var program = RegoProgram.Compile("t.rego", "package a\np contains y if { some x in input; y := x * 2; regex.match(`^[0-9]+$`, sprintf(\"%d\", [x])) }");
        Parallel.For(0, 200, i => Assert.Equal($"[{2 * i},{(2 * i) + 2}]", program.Evaluate("data.a.p", RegoValue.FromJson($"[{i}, {i + 1}]")).Value!.ToJson()));
    }
}
