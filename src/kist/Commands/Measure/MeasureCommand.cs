using System.CommandLine;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure": predicts what a TEE will measure, before anything runs, and explains differences.</summary>
static class MeasureCommand
{
    public static Command Create() => new("measure", "Predict what a TEE will measure, and explain differences.")
    {
        TdxCommand.Create(),
        SnpCommand.Create(),
        SevCommand.Create(),
        TpmCommand.Create(),
        Sgx.MeasureCommand.Create("sgx"),
        NitroCommand.Create(),
        GuestCommand.Create(),
        AcpiCommand.Create(),
        IdBlockCommand.Create(),
        DiffCommand.Create(),
        MatchCommand.Create(),
        ExplainCommand.Create(),
    };
}
