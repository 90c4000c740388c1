namespace Kist.Rego.Tests;

public class CoverageTests
{
    private const string Policy =
        """
        package a

        default allow := false

        allow if {
            input.user == "root"
            some x in input.groups
            x == "wheel"
        } else if {
            input.key
        }

        named contains n if {
            n := [m |
                some m in input.names
                m != ""
            ][_]
        }
        """;

    [Fact]
    public void Report_AfterEvaluations_NamesTheLinesThatWereNotReached()
    {
        var module = new RegoModule("a.rego", Policy);
        var program = RegoProgram.Compile([module]);
        var coverage = new RegoCoverage();
        Assert.Equal([3, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16], coverage.Report([module], RegoVersion.V1)[0].Missed);
        Run(program, coverage, """{"user": "joe"}""");
        Assert.Equal([5, 7, 8, 9, 13, 14, 15, 16], coverage.Report([module], RegoVersion.V1)[0].Missed);
        Run(program, coverage, """{"user": "root", "groups": ["wheel"], "key": 1}""");
        Assert.Equal([9, 13, 14, 15, 16], coverage.Report([module], RegoVersion.V1)[0].Missed);
        Run(program, coverage, """{"user": "joe", "key": 1}""");
        program.Evaluate("data.a.named", new RegoEvaluationOptions { Input = RegoValue.FromJson("""{"names": ["x"]}"""), Coverage = coverage }, TestContext.Current.CancellationToken);
        var report = coverage.Report([module], RegoVersion.V1)[0];
        Assert.Empty(report.Missed);
        Assert.Equal(100, report.Percent);
    }

    [Theory]
    [InlineData(0, 0, 100)]
    [InlineData(2, 1, 66.66)]
    [InlineData(99999, 1, 99.99)]
    public void PercentOf_SomeLines_IsNeverRoundedUp(int covered, int missed, double expected) => Assert.Equal(expected, RegoFileCoverage.PercentOf(covered, missed));

    private static void Run(RegoProgram program, RegoCoverage coverage, string input) =>
        program.Evaluate("data.a.allow", new RegoEvaluationOptions { Input = RegoValue.FromJson(input), Coverage = coverage }, TestContext.Current.CancellationToken);
}
