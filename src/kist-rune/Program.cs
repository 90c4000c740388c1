using Kist.Enclaves.Host;
using Kist.Formats;

namespace Kist.Rune;

static class Program
{
    private const int Failed = 1;

    static async Task<int> Main(string[] args)
    {
        var line = CommandLine.Parse(args);
        try
        {
            return await RunAsync(line);
        }
        catch (Exception e) when (e is OperationFailedException or MalformedDataException or IOException or UnauthorizedAccessException)
        {
            ErrorLog.Write(line, e is OperationFailedException { Hint: { } hint } ? $"{e.Message} ({hint})" : e.Message);
            return Failed;
        }
    }

    private static async Task<int> RunAsync(CommandLine line)
    {
        switch (line.Command)
        {
            case EnclaveLauncher.EnterCommand:
                return await EnclaveHost.RunAsync(message => Console.Error.WriteLine($"kist-enclave: {message}"));
            case EnclaveLauncher.LaunchCommand:
                EnclaveLauncher.Run();
                return Failed;
            case "platform":
                return PlatformCommand.Run([.. line.Rest]);
            case "create" or "run":
                return await ContainerCommands.CreateAsync(line);
            case "start":
                return ContainerCommands.Start(line);
            case "state":
                return await ContainerCommands.StateAsync(line);
            case "delete":
                return await ContainerCommands.DeleteAsync(line);
            case "checkpoint" or "restore":
                return ContainerCommands.Checkpoint(line);
            case "spec":
                return await ContainerCommands.SpecAsync(line);
            case "exec":
                return await ExecCommand.RunAsync(line);
            case "events":
                return await EventsCommand.RunAsync(line);
            case "attest":
                return AttestCommand.Run(line);
            case "measure":
                return MeasureCommand.Run(line);
            case "features":
                return await ContainerCommands.FeaturesAsync(line);
            default:
                return Runtime.Become(line.All);
        }
    }
}
