using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Host;

namespace Kist.Cli.Commands.Services;

/// <summary><c>kist up</c>, <c>kist down</c> and the hidden command that serves.</summary>
static class UpCommand
{
    private const string Serve = "serve-development";

    public static Command CreateUp()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var state = StateOption.Create();
        var command = new Command("up", "Serve a key broker and a registry for development on loopback, and build the guest image") { json, state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var directory = parse.Open(state);
            var endpoints = await EnsureServingAsync(directory, cancellationToken);
            if (parse.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(UpResult.Of(endpoints, directory), UpJson.Output.UpResult));
            else
                Print(UpResult.Of(endpoints, directory));
            return ExitCode.Success;
        });
        return command;
    }

    public static Command CreateDown()
    {
        var state = StateOption.Create();
        var command = new Command("down", "Stop what kist up serves; images, keys and policies stay") { state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            if (!await DevelopmentServices.StopAsync(parse.Open(state), cancellationToken))
                Terminal.Note("nothing was running");
            return ExitCode.Success;
        });
        return command;
    }

    public static Command CreateServe()
    {
        var state = StateOption.Create();
        var command = new Command(Serve, "Serve in the foreground what kist up serves in the background") { state };
        command.Hidden = true;
        command.SetAction(async (parse, cancellationToken) =>
        {
            await new DevelopmentServer(parse.Open(state), TimeProvider.System).ServeAsync(cancellationToken);
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Builds the guest image and starts the services, each unless it is there.</summary>
    public static async Task<ServiceEndpoints> EnsureServingAsync(StateDirectory state, CancellationToken cancellationToken)
    {
        await GuestImages.EnsureBuiltAsync(state, new Containers.StepLines(verbose: false), cancellationToken);
        if (ServiceEndpoints.TryRead(state) is { } running)
            return running;
        var log = Path.Combine(state.Logs, "services.log");
        SelfProcess.StartInBackground(log, Serve, "--state", state.Root);
        return await DevelopmentServices.WaitUntilServingAsync(state, log, cancellationToken);
    }

    private static void Print(UpResult result)
    {
        Console.Out.WriteLine($"key broker   {result.Broker}  (accepts simulated guests of this machine)");
        Console.Out.WriteLine($"registry     {result.Registry}");
        Console.Out.WriteLine($"admin token  {result.AdminTokenFile}");
        Console.Out.WriteLine($"state        {result.State}");
    }
}

/// <summary>What <c>kist up --json</c> prints.</summary>
sealed record UpResult(Uri Broker, string Registry, string BrokerCertificate, string AdminTokenFile, string State, bool AllowsSimulated)
{
    public static UpResult Of(ServiceEndpoints endpoints, StateDirectory state) =>
        new(endpoints.Broker, endpoints.Registry, endpoints.BrokerCertificate, endpoints.AdminTokenFile, state.Root, AllowsSimulated: true);
}

[JsonSerializable(typeof(UpResult))]
sealed partial class UpJson : JsonSerializerContext
{
    public static UpJson Output { get; } = new(OutputJson.CreateOptions());
}
