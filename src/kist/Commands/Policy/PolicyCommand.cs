using System.CommandLine;

namespace Kist.Cli.Commands.Policy;

/// <summary>"kist policy": policies checked, tried and explained, without a broker.</summary>
static class PolicyCommand
{
    public static Command Create() => new("policy", "Check, test, evaluate and explain policies in Rego.")
    {
        CheckCommand.Create(),
        EvalCommand.Create(),
        ExplainCommand.Create(),
        FormatCommand.Create(),
        GenerateCommand.Create(),
        LearnCommand.Create(),
        TestCommand.Create(),
        TestCasesCommand.Create(),
        TryCommand.Create(),
    };
}
