using System.CommandLine;
using Kist.Cli.Commands.Broker;
using Kist.Formats;
using Kist.Images.Ocicrypt;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image key-provider": lets skopeo, buildah, podman and containerd encrypt for and decrypt with the broker's keys.</summary>
static class KeyProviderCommand
{
    public static Command Create()
    {
        var keys = new Option<string[]>("--key") { Description = "A key that is in a file (32 bytes); may be repeated. The first is used where a request names none.", HelpName = "kbs:///…=FILE" };
        var port = new Option<int?>("--port") { Description = "Serve gRPC on this loopback port until interrupted.", HelpName = "PORT" };
        var socket = new Option<string?>("--socket") { Description = "Serve ttrpc on this Unix socket until interrupted.", HelpName = "PATH" };
        var policy = new Option<string?>("--resource-policy") { Description = "Rego file that says who may have the keys that are made (default: nobody, until you say so).", HelpName = "FILE" };
        var connection = new BrokerConnection();
        var command = new Command("key-provider", "Wrap and unwrap layer keys for other programs (ocicrypt's key provider protocol). Without --port and --socket, one request is read from standard input.")
        {
            keys, port, socket, policy,
        };
        command.Aliases.Add("keyprovider");
        connection.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var pairs = parse.GetValue(keys) ?? [];
            using var broker = connection.TryConnect(parse);
            if (broker is null && pairs.Length == 0)
                throw new OperationFailedException("serve keys", "key provider", "there are no keys to serve", "start a broker with kist up, or give --broker, or --key");
            var files = new FileKeyProvider(pairs);
            using var made = broker is null ? null : new BrokerKeyMaker(broker, files, parse.GetValue(policy) is { } path ? await File.ReadAllTextAsync(path, cancellationToken) : null);
            var service = new KeyProviderService(made is null ? files : made, pairs.Length > 0 ? pairs[0].Split('=')[0] : null) { Maker = made };
            await ServeAsync(service, parse.GetValue(port), parse.GetValue(socket), cancellationToken);
            return ExitCode.Success;
        });
        return command;
    }

    private static async Task ServeAsync(KeyProviderService service, int? port, string? socket, CancellationToken cancellationToken)
    {
        if (port is null && socket is null)
        {
            await AnswerOnceAsync(service, cancellationToken);
            return;
        }

        var servers = new List<Task>();
        if (port is { } number)
            servers.Add(KeyProviderServer.RunAsync(service, number, cancellationToken));
        if (socket is not null)
            servers.Add(KeyProviderSocket.RunAsync(service, socket, cancellationToken));
        await await Task.WhenAny(servers);
        await Task.WhenAll(servers);
    }

    private static async Task AnswerOnceAsync(KeyProviderService service, CancellationToken cancellationToken)
    {
        using var request = new MemoryStream();
        await using var input = Console.OpenStandardInput();
        await input.CopyToAsync(request, cancellationToken);
        var answer = await service.HandleAsync(request.ToArray(), cancellationToken);
        await using var output = Console.OpenStandardOutput();
        await output.WriteAsync(answer, cancellationToken);
    }
}
