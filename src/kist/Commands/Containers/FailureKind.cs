using Kist.Pods.Agent;
using Kist.Pods.Protocol;

namespace Kist.Cli.Commands.Containers;

/// <summary>Exit codes of a run that did not come to the container's own, as docker gives them.</summary>
static class FailureKind
{
    public static int ExitCodeOf(Exception e) => e switch
    {
        AgentCallException { Code: FailureCode.ProgramNotFound } => ExitCode.NotFound,
        AgentCallException { Code: FailureCode.ProgramNotExecutable } => ExitCode.CannotExecute,
        OperationCanceledException => ExitCode.Interrupted,
        _ => ExitCode.RunFailed,
    };
}
