namespace Kist.Rego.Tests;

public class LanguageTests
{
    [Theory]
    [InlineData("p := 1", "1")]
    [InlineData("p := x if { x := 1 }", "1")]
    [InlineData("p if 1 < 2", "true")]
    [InlineData("p if false", "undefined")]
    [InlineData("default p := 7\np := 1 if input.no", "7")]
    [InlineData("p := 1 if false else := 2 if false else := 3", "3")]
    [InlineData("p if { x := [1, 2, 3]; x[_] == 3 }", "true")]
    [InlineData("p contains x if some x in [3, 1, 2, 1]", "[1,2,3]")]
    [InlineData("p[k] := v if some k, v in {\"a\": 1, \"b\": 2}", "{\"a\":1,\"b\":2}")]
    [InlineData("p[k] contains v if some [k, v] in [[\"a\", 1], [\"a\", 2], [\"b\", 3]]", "{\"a\":[1,2],\"b\":[3]}")]
    [InlineData("p.a.b := 1\np.c := 2", "{\"a\":{\"b\":1},\"c\":2}")]
    [InlineData("p.a[x] := 1 if x := \"z\"\np.b.c := 2", "{\"a\":{\"z\":1},\"b\":{\"c\":2}}")]
    [InlineData("p := [x | some x in [1, 2, 3]; x > 1]", "[2,3]")]
    [InlineData("p := {x: y | some x, y in [\"a\", \"b\"]}", "{\"0\":\"a\",\"1\":\"b\"}")]
    [InlineData("p := {x | x := [1, 1, 2][_]}", "[1,2]")]
    [InlineData("p if { [x, 1] = [2, y]; x == 2; y == 1 }", "true")]
    [InlineData("p := [x, y] if { [x, y] = [y, 1] }", "[1,1]")]
    [InlineData("p := x if { {\"a\": x, \"b\": 2} = {\"a\": 1, \"b\": 2} }", "1")]
    [InlineData("p if every x in [1, 2] { x > 0 }", "true")]
    [InlineData("p if every k, v in {\"a\": 1} { k == \"a\"; v == 1 }", "true")]
    [InlineData("p if every x in [1, 2] { x > 1 }", "undefined")]
    [InlineData("p := x if { y := {x | {\"a\", \"b\"}[x]}; x := count(y) }", "2")]
    [InlineData("p if 1, 2 in [2] in [false, true]", "true")]
    [InlineData("p := x if some {\"a\": x}, \"v\" in {{\"a\": 5}: \"v\"}", "5")]
    [InlineData("p contains [k, v] if some k, v in input with input.foo as \"bar\"", "[[\"foo\",\"bar\"]]")]
    [InlineData("p if not q\nq if false", "true")]
    [InlineData("p if { print(\"a\", input.no, 1); true }", "true")]
    [InlineData("p := f(2)\nf(x) := x * 3", "6")]
    [InlineData("p := [f(1), f(5)]\nf(1) := \"one\"\nf(x) := \"many\" if x > 1", "[\"one\",\"many\"]")]
    [InlineData("p := f([1, 2])\nf([a, b]) := a + b", "3")]
    [InlineData("p := f(1)\ndefault f(_) := 9\nf(x) := 1 if x > 1", "9")]
    [InlineData("p := x if x := q with input as 5\nq := input", "5")]
    [InlineData("p := x if x := q with input.x.y as 5\nq := input.x", "{\"y\":5}")]
    [InlineData("p := x if x := q with data.foo as 5\nq := data.foo", "5")]
    [InlineData("p := x if x := q with r as 5\nq := r\nr := 1", "5")]
    [InlineData("p := x if x := q with f as g\nq := f(1)\nf(x) := x\ng(x) := x + 10", "11")]
    [InlineData("p := x if x := q with count as 42\nq := count([])", "42")]
    [InlineData("p := x if x := q with count as mock\nq := count([1])\nmock(x) := count(x) + 1", "2")]
    [InlineData("p if 1 in [1, 2]", "true")]
    [InlineData("p := [x | x := 1; 3 in [1, 2]]", "[]")]
    [InlineData("p if \"a\", 1 in {\"a\": 1}", "true")]
    [InlineData("p := x if { x = y; y = 3 }", "3")]
    [InlineData("p := [i | [\"a\", \"b\", \"a\"][i] == \"a\"]", "[0,2]")]
    [InlineData("p := {{1}, {2}} | {{3}}", "[[1],[2],[3]]")]
    [InlineData("p := 1 + 2 * 3", "7")]
    [InlineData("p := {1, 2, 3} - {2}", "[1,3]")]
    [InlineData("p := $\"{$\"{input.q}\"} {$\"{$\"{1}\"} b\"}\"", "\"<undefined> 1 b\"")]
    [InlineData("import future.keywords.not\np if not startswith(input.a, \"x\")", "true")]
    [InlineData("import rego.v2\np if not { x := 1; x == 2 }", "true")]
    [InlineData("p := [not.foo, foo.not]\nnot.foo := 1\nfoo.not := 2", "[1,2]")]
    [InlineData("p := f(\"a b\")\nf($\"{x} b\") := 1 if x = \"a\"", "1")]
    [InlineData("p := sprintf(\"%s %d %v %q %5.1f|%-4d|%x\", [\"a\", 1, [1, \"b\"], \"c\", 2.25, 7, 255])", "\"a 1 [1, \\\"b\\\"] \\\"c\\\"   2.2|7   |ff\"")]
    [InlineData("p := $\"a {1 + 1} {\"x\"} {input.q}\"", "\"a 2 x <undefined>\"")]
    [InlineData("p := [k | some k, _ in {\"b\": 1, \"a\": 2}]", "[\"a\",\"b\"]")]
    [InlineData("p := [x | walk({\"a\": [1]}, [path, x]); count(path) == 2]", "[1]")]
    [InlineData("p := 0.1 + 0.2", "0.3")]
    [InlineData("p := 1 / 3", "0.33333333333333333334")]
    public void Rules_OfEachKind_GiveTheirValue(string rules, string expected) => Assert.Equal(expected, Rego.Json(rules));

    [Theory]
    [InlineData("p { 1 < 2 }", "true")]
    [InlineData("p[x] { x := [1, 2][_] }", "[1,2]")]
    [InlineData("p[x] = y { y := [\"a\"][x] }", "{\"0\":\"a\"}")]
    [InlineData("p = 1 { false } else = 2 { true }", "2")]
    [InlineData("import future.keywords\np if { some x in [1]; x == 1 }", "true")]
    [InlineData("p { false } { true }", "true")]
    [InlineData("p = x { x = [1, 2][_]; x > 1 }", "2")]
    public void Rules_OfVersion0_GiveTheirValue(string rules, string expected) =>
        Assert.Equal(expected, Rego.Json(rules, version: RegoVersion.V0));

    [Theory]
    [InlineData("p := [x | some x in y]", "rego_unsafe_var_error", 2)]
    [InlineData("p if not x", "rego_unsafe_var_error", 2)]
    [InlineData("p if q\nq if p", "rego_recursion_error", 2)]
    [InlineData("p := f(1)", "rego_type_error", 2)]
    [InlineData("p := count(1, 2, 3)", "rego_type_error", 2)]
    [InlineData("p if {", "rego_parse_error", 2)]
    [InlineData("p { true }", "rego_parse_error", 2)]
    [InlineData("p := 1\np contains 2", "rego_type_error", 3)]
    [InlineData("p if { x := 1; x := 2 }", "rego_compile_error", 2)]
    [InlineData("p := 1\np := 2", "eval_conflict_error", 3)]
    [InlineData("p := {k: v | some k, v in [1, 1]; false}\nq := 1 / 0", "none", 0)]
    [InlineData("p := 1 / 0", "eval_builtin_error", 2)]
    [InlineData("p := any([true])", "rego_type_error", 2)]
    [InlineData("p := \"a\" + 1", "rego_type_error", 2)]
    [InlineData("p := {1} - 1", "eval_type_error", 2)]
    public void Faults_OfEachKind_HaveCodeAndPlace(string rules, string code, int row)
    {
        if (code == "none")
        {
            Assert.Equal("{}", Rego.Json(rules));
            return;
        }

        var error = Rego.Error(rules);
        Assert.Equal((code, row), (error.Code, error.Location.Row));
    }

    [Fact]
    public void BuiltInErrors_WhenNotStrict_AreUndefined() => Assert.Equal("undefined", Rego.Json("p := 1 / 0"));

    [Fact]
    public void Documents_OfRulesAndData_AreMerged() => Assert.Equal(
        """{"a":1,"p":{"q":2},"r":3}""",
        Rego.Query("data.test", ["package test\nr := 3", "package test.p\nq := 2"], data: """{"test":{"a":1}}""").Value!.ToJson());

    [Fact]
    public void Imports_OfDataAndInput_AreResolved() => Assert.Equal("3", Rego.Query(
        "data.a.p", ["package a\nimport data.b.c as d\nimport input.x\np := d.f(x)", "package b.c\nf(n) := n + 1"], """{"x":2}""").Value!.ToJson());

    [Fact]
    public void Query_WithVariables_GivesARowEach()
    {
        var result = Rego.Query("x := data.test.p[_]; x > 1", ["package test\np := [1, 2, 3]"]);
        Assert.Equal(["2", "3"], result.Rows.Select(r => r.Bindings["x"].ToJson()));
    }

    [Fact]
    public void Negation_OfNestedUndefined_IsUndefined_AsInOpa() =>
        Assert.Equal(("undefined", "true"), (Rego.Json("p if not startswith(input.a, \"x\")"), Rego.Json("p if not input.a == 1")));
}
