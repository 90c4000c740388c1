namespace Kist.Rego.Tests;

/// <summary>Errors of types that are certain are found when a policy is compiled; nothing that could hold is refused.</summary>
public class StaticTypeTests
{
    [Theory]
    [InlineData("p := count(1)", "count: invalid argument(s)\n\thave: (number)\n\twant: (any<array, object, set, string>)")]
    [InlineData("p if { x := \"a\"; y := x + 1 }", "plus: invalid argument(s)\n\thave: (string, number)\n\twant: (number, number)")]
    [InlineData("p if sprintf(\"%v\", 1) == \"1\"", "sprintf: invalid argument(s)\n\thave: (string, number)\n\twant: (string, array)")]
    [InlineData("p if { i := \"a\"; upper([1, 2]) == i }", "upper: invalid argument(s)\n\thave: (array)\n\twant: (string)")]
    [InlineData("p := [upper(count(x)) | some x in input]", "upper: invalid argument(s)\n\thave: (number)\n\twant: (string)")]
    [InlineData("p if not startswith(1, \"a\")", "startswith: invalid argument(s)\n\thave: (number, string)\n\twant: (string, string)")]
    [InlineData("p if { x := 1; x = \"a\" }", "match error\n\tleft  : number\n\tright : string")]
    [InlineData("p if { x := count(input); x.y }", "undefined ref: x.y\n\thave: number")]
    public void Compile_OfWhatCanNeverFit_IsATypeError(string rules, string message)
    {
        var error = Rego.Error(rules);
        Assert.Equal((RegoErrorCode.Type, message), (error.Code, error.Message));
        Assert.True(error.Location.Row == 2 && error.Location.Column > 1, $"the place is {error.Location}");
    }

    [Theory]
    [InlineData("p if 1 == 1\nq if 1 == \"a\"", "true")]
    [InlineData("p := count(q) if true\nq := 1", "undefined")]
    [InlineData("p := y if { y = count([1]) with count as f }\nf(_) := \"a\"", "\"a\"")]
    [InlineData("p := {1, 2} - {1}", "[2]")]
    [InlineData("p := [x | some x in [1, \"a\"]; is_number(x); x + 1 == 2]", "[1]")]
    [InlineData("p := f(1)\nf(x) := upper(x)", "undefined")]
    public void Compile_OfWhatMayFit_Succeeds(string rules, string expected) => Assert.Equal(expected, Rego.Json(rules));
}
