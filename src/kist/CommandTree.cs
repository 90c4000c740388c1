using System.CommandLine;
using System.CommandLine.Parsing;

namespace Kist.Cli;

/// <summary>All commands of the program. Each area adds its own command here, one line an area, sorted by name.</summary>
static class CommandTree
{
    public static RootCommand Create()
    {
        var root = new RootCommand("Confidential containers: run OCI images that the machine's owner can neither read nor change.");
        root.Add(Commands.Broker.AuditCommand.Create());
        root.Add(Commands.Broker.BrokerCommand.Create());
        root.Add(Commands.Broker.ReferenceCommand.Create());
        root.Add(Commands.Broker.SecretCommand.Create());
        root.Add(Commands.Containers.AttachCommand.Create());
        root.Add(Commands.Containers.DetachedSupervisor.CreateCommand());
        root.Add(Commands.Containers.ExecCommand.Create());
        root.Add(Commands.Containers.LogsCommand.Create());
        root.Add(Commands.Containers.PortForwardCommand.Create());
        root.Add(Commands.Containers.PsCommand.Create());
        root.Add(Commands.Containers.RmCommand.Create());
        root.Add(Commands.Containers.RunCommand.Create());
        root.Add(Commands.Containers.StopCommand.CreateKill());
        root.Add(Commands.Containers.StopCommand.CreateStop());
        root.Add(Commands.Containers.WaitCommand.Create());
        root.Add(Commands.Demo.DemoCommand.Create());
        root.Add(Commands.Doctor.DoctorCommand.Create());
        root.Add(Commands.Guest.GuestCommand.Create());
        root.Add(Commands.Image.ImageCommand.Create());
        root.Add(Commands.Measure.MeasureCommand.Create());
        root.Add(Commands.Policy.PolicyCommand.Create());
        root.Add(Commands.Relay.RelayCommand.Create());
        root.Add(Commands.Services.UpCommand.CreateDown());
        root.Add(Commands.Services.UpCommand.CreateServe());
        root.Add(Commands.Services.UpCommand.CreateUp());
        root.Add(Commands.Sgx.SgxCommand.Create());
        root.Add(Commands.Verify.BundleCommand.Create());
        root.Add(Commands.Verify.CollateralCommand.Create());
        root.Add(Commands.Verify.InspectCommand.Create());
        root.Add(Commands.Verify.ReplayCommand.Create());
        root.Add(Commands.Verify.VerifyCommand.Create());
        root.Add(Commands.Relay.VerifyEnclaveCommand.Create());
        root.Add(Commands.Enclaves.EnclaveCommand.Create());
        return root;
    }

    /// <summary>The names of the commands on the way to <paramref name="result"/>, without the program's own.</summary>
    public static IEnumerable<string> PathOf(CommandResult result)
    {
        var names = new Stack<string>();
        for (SymbolResult? r = result; r is CommandResult { Parent: not null } c; r = c.Parent)
            names.Push(c.Command.Name);
        return names;
    }
}
