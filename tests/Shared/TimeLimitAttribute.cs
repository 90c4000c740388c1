using System.Reflection;
using Xunit.v3;

namespace Kist.Testing;

/// <summary>
/// Ends a test that waits for ever, and names it. First its cancellation token is cancelled, which is all that a well-behaved test
/// needs; one that does not listen ends the whole process a minute later, since a run that never ends says nothing at all.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class TimeLimitAttribute : BeforeAfterTestAttribute
{
    /// <summary>How long one test may take. The longest boot several guests under emulation and take some two minutes.</summary>
    private static readonly TimeSpan s_limit = Environment.GetEnvironmentVariable("KIST_EXHAUSTIVE") == "1" ? TimeSpan.FromHours(1) : TimeSpan.FromMinutes(6);

    private static readonly TimeSpan s_grace = TimeSpan.FromMinutes(1);

    private static readonly AsyncLocal<Timer?> s_timer = new();

    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        var name = test.TestDisplayName;
        var context = TestContext.Current;
        var warned = false;
        s_timer.Value = new Timer(
            _ =>
            {
                if (warned)
                    Environment.FailFast($"{name} did not end when it was cancelled after {s_limit}");
                warned = true;
                System.Console.Error.WriteLine($"time limit: {name} has run for {s_limit} and is cancelled");
                context.CancelCurrentTest();
            },
            null, s_limit, s_grace);
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test) => s_timer.Value?.Dispose();
}
