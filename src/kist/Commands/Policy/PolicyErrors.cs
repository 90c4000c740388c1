using Kist.Rego;

namespace Kist.Cli.Commands.Policy;

/// <summary>Errors of policies, for people.</summary>
static class PolicyErrors
{
    public static void Print(RegoException e)
    {
        foreach (var error in e.Errors)
            Terminal.Error($"{(error.Location.Row > 0 ? $"{error.Location}: " : "")}{error.Code}: {error.Message}");
    }

    /// <summary>A policy that does not compile is malformed; one that fails when it is evaluated has failed.</summary>
    public static int ExitCodeOf(RegoException e) => e.Code.StartsWith("rego_", StringComparison.Ordinal) ? ExitCode.Malformed : ExitCode.Failed;
}

/// <summary>What opa.runtime() gives on the command line: nothing of this machine's environment.</summary>
static class PolicyRuntime
{
    public static RegoValue Value { get; } = RegoValue.ObjectOf(("env", RegoValue.ObjectOf()), ("version", RegoValue.Of(KistVersion.Text)));
}
