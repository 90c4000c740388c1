namespace Kist.Rego.Tests;

/// <summary>Behaviours in which the interpreter once differed from OPA, found by going through OPA's conformance cases.</summary>
public class ConformanceFindingsTests
{
    [Theory]
    [InlineData("0.0002K", "0.2")]
    [InlineData("250m", "0.25")]
    [InlineData("1.0Gi", "1073741824")]
    [InlineData("2.00000000005", "2.0000000001")]
    [InlineData("-2.00000000005", "-2.0000000001")]
    public void UnitsParse_OfDecimals_IsExactToTenDecimals(string text, string expected) =>
        Assert.Equal("true", Rego.Json($"p if units.parse(\"{text}\") == {expected}"));

    [Fact]
    public void UnitsParseBytes_OfAFraction_CutsItOff() => Assert.Equal("1126", Rego.Json("p := units.parse_bytes(\"1.1KiB\")"));

    [Theory]
    [InlineData("nan")]
    [InlineData("-Inf")]
    [InlineData("+infinity")]
    public void ToNumber_OfWhatIsNotFinite_IsATypeError(string text) =>
        Assert.Equal(RegoErrorCode.EvaluationType, Rego.Error($"p := to_number(\"{text}\")").Code);

    [Theory]
    [InlineData("input.x", "ref")]
    [InlineData("[1, y]", "var")]
    [InlineData("{\"a\": count([])}", "call")]
    public void Default_WithAValueThatIsNoConstant_IsRefused(string value, string kind)
    {
        var error = Rego.Error($"default p := {value}");
        Assert.Equal((RegoErrorCode.Parse, $"illegal default rule (value cannot contain {kind})"), (error.Code, error.Message));
    }

    [Fact]
    public void Default_WithAComprehension_IsTaken() => Assert.Equal("[1]", Rego.Json("default p := [x | x := 1]"));

    [Theory]
    [InlineData("a: 1\\n---\\nb: 2\\n", "true")]
    [InlineData("a: 1\\n---\\n\\tb: 2\\n", "false")]
    [InlineData("a:\\n\\t- 1\\n", "false")]
    [InlineData("a: [1,\\n\\t2]\\n", "true")]
    [InlineData("a: 1\\n---\\nb: [\\n", "false")]
    public void YamlIsValid_OfTabsAndFurtherDocuments_GivesTheVerdictOfGosReader(string text, string expected) =>
        Assert.Equal(expected, Rego.Json($"p := yaml.is_valid(\"{text}\")"));

    [Fact]
    public void RangeStep_OfAStepBelowOne_SaysSo() =>
        Assert.Contains("step must be a positive integer", Rego.Error("p := numbers.range_step(1, 2, 0)").Message, StringComparison.Ordinal);

    [Fact]
    public void ParseModule_OfAModule_GivesItsTree()
    {
        Assert.Equal("\"b\"", Rego.Json("p := rego.parse_module(\"m.rego\", `package a.b`)[\"package\"].path[2].value"));
        Assert.Equal(
            """[true,"d",[0,1],"y"]""",
            Rego.Json(
                """
                m := rego.parse_module("m.rego", "package a.b\nimport rego.v1\nimport data.c as d\ndefault p := 0\np := 1 if { some x in d; not x == input.y with input.y as 2 }\ns contains y if y := 3")
                p := [m.rules[0]["default"], m.imports[_].alias, [m.rules[0].head.value.value, m.rules[1].head.value.value], m.rules[2].head.key.value]
                """));
        Assert.Contains("rego_parse_error", Rego.Error("p := rego.parse_module(\"m.rego\", \"package a.\")").Message, StringComparison.Ordinal);
    }
}
