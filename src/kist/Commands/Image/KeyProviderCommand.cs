using System.CommandLine;
using Kist.Images.Ocicrypt;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image key-provider": lets skopeo, buildah, podman and containerd encrypt for and decrypt with the broker's keys.</summary>
static class KeyProviderCommand
{
    public static Command Create()
    {
        var keys = new Option<string[]>("--key") { Description = "A key that is in a file (32 bytes); may be repeated. The first is used where a request names none.", HelpName = "kbs:///…=FILE", Required = true };
        var listen = new Option<int?>("--port") { Description = "Serve gRPC on this loopback port until interrupted. Without it, one request is read from standard input.", HelpName = "PORT" };
        var command = new Command("key-provider", "Wrap and unwrap layer keys for other programs (ocicrypt's key provider protocol).") { keys, listen };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var pairs = parse.GetValue(keys)!;
            var service = new KeyProviderService(new FileKeyProvider(pairs), pairs[0].Split('=')[0]);
            if (parse.GetValue(listen) is { } port)
            {
                await KeyProviderServer.RunAsync(service, port, cancellationToken);
                return ExitCode.Success;
            }

            using var request = new MemoryStream();
            await using var input = Console.OpenStandardInput();
            await input.CopyToAsync(request, cancellationToken);
            var answer = await service.HandleAsync(request.ToArray(), cancellationToken);
            await using var output = Console.OpenStandardOutput();
            await output.WriteAsync(answer, cancellationToken);
            return ExitCode.Success;
        });
        return command;
    }
}
