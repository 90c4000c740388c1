using System.CommandLine;

namespace Kist.Cli.Commands.Enclaves;

/// <summary>"kist enclave": what whoever challenges enclaves keeps, and foreign enclave runtimes.</summary>
static class EnclaveCommand
{
    public static Command Create() => new("enclave", "References for enclaves, and records of what challenges found.")
    {
        ReferenceCommand.Create(),
        RecordsCommand.Create(),
        PalCommand.Create(),
    };
}
