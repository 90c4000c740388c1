using System.CommandLine;

namespace Kist.Cli.Commands.Enclaves;

/// <summary>"kist enclave": what whoever challenges enclaves keeps.</summary>
static class EnclaveCommand
{
    public static Command Create() => new("enclave", "References for enclaves, and records of what challenges found.")
    {
        ReferenceCommand.Create(),
        RecordsCommand.Create(),
    };
}
