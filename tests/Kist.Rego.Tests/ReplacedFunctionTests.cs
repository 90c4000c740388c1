namespace Kist.Rego.Tests;

/// <summary><c>with</c> in the place of functions: by values, by functions of the policy, by built-ins.</summary>
public class ReplacedFunctionTests
{
    [Theory]
    [InlineData("f(x) := x\np := y if y := f([7, 8]) with f as count", "2")]
    [InlineData("f(x) := x\np if f([7, 8], 2) with f as count", "true")]
    [InlineData("p := y if y := count([{\"a\": 1}, {\"b\": 2}]) with count as object.union_n", """{"a":1,"b":2}""")]
    [InlineData("p := y if y := time.now_ns() with time.now_ns as opa.runtime", "{}")]
    [InlineData("one(_) := 1\np := y if y := count([7, 8]) with count as one", "1")]
    [InlineData("p := y if y := count([7, 8]) with count as 5", "5")]
    [InlineData("count_of := 3\np := y if y := count([7, 8]) with count as count_of", "3")]
    [InlineData("p := ys if ys := {y | some v in [4, 5]; y := q with count as v}\nq := count(\"abc\")", "[4,5]")]
    [InlineData("p if count(input) == 1 with count as 1", "undefined")]
    public void With_OfEachReplacement_CallsIt(string rules, string expected) => Assert.Equal(expected, Rego.Json(rules));

    [Fact]
    public void With_ALocalVariableNamedAsABuiltIn_IsTheVariable() =>
        Assert.Equal("9", Rego.Json("p := y if { count := 9; y := max([1]) with max as count }"));
}
