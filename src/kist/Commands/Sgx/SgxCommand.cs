using System.CommandLine;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx": enclaves measured, signed and examined without an SDK.</summary>
static class SgxCommand
{
    public static Command Create() => new("sgx", "Measure, sign and examine SGX enclaves; no SDK is needed.")
    {
        MeasureCommand.Create(),
        SignCommand.Create(),
        SignServerCommand.Create(),
        LoadCommand.Create(),
        SigningMaterialCommand.Create(),
        SignatureCommand.Create(),
        VerifyCommand.Create(),
        InspectCommand.Create(),
        KeyCommand.Create(),
    };
}
