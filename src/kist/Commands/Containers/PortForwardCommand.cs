using System.CommandLine;
using System.Net.Sockets;
using Kist.Formats;
using Kist.Host;

namespace Kist.Cli.Commands.Containers;

/// <summary><c>kist port-forward</c>: as kubectl port-forward, for ports that the owner's policy allows.</summary>
static class PortForwardCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("CONTAINER") { Description = "Name or identifier" };
        var ports = new Argument<string[]>("PORT") { Description = "[[ADDRESS:]LOCAL:]PORT; without LOCAL, a port that is free", Arity = ArgumentArity.OneOrMore };
        var state = StateOption.Create();
        var command = new Command("port-forward", "Carry connections to ports of a pod that runs, as its policy allows (kist run --allow-port), until interrupted") { name, ports, state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var folder = parse.OpenContainers(state).Find(parse.GetRequiredValue(name));
            var published = parse.GetRequiredValue(ports).Select(PublishedPort.Parse).ToList();
            // Said now rather than to the first caller: the policy does not allow it, or nothing listens there.
            foreach (var port in published)
                (await ControlClient.ConnectAsync(folder, port.PodPort, cancellationToken)).Dispose();
            var listeners = new List<PortListener>();
            try
            {
                foreach (var port in published)
                {
                    listeners.Add(PortListener.Start(port, (connection, token) => CarryAsync(folder, port.PodPort, connection, token)));
                    Console.Out.WriteLine($"{listeners[^1].Address} -> {port.PodPort}");
                }

                await Console.Out.FlushAsync(cancellationToken);
                await ControlClient.WaitAsync(folder, cancellationToken);
                return ExitCode.Success;
            }
            finally
            {
                foreach (var listener in listeners)
                    await listener.DisposeAsync();
            }
        });
        return command;
    }

    private static async Task CarryAsync(ContainerFolder folder, int port, Socket connection, CancellationToken cancellationToken)
    {
        using var pod = await ControlClient.ConnectAsync(folder, port, cancellationToken);
        await Task.WhenAll(CopyAsync(connection, pod, cancellationToken), CopyAsync(pod, connection, cancellationToken));
    }

    private static async Task CopyAsync(Socket from, Socket to, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 << 10];
        int count;
        while ((count = await from.ReceiveAsync(buffer, cancellationToken)) > 0)
        {
            for (var sent = 0; sent < count;)
                sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), cancellationToken);
        }

        to.Shutdown(SocketShutdown.Send);
    }
}
