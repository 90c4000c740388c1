using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kist.Formats;
using Kist.Linux;
using Kist.Linux.Network;
using Kist.Linux.Processes;
using Kist.Shim.Bundles;
using Kist.Shim.Protocol;

namespace Kist.Shim;

/// <summary>What containerd runs the shim's program for: to start a shim, and to clean up after one.</summary>
public static class ShimProgram
{
    private const int ListeningDescriptor = 3;

    /// <summary>
    /// "start": makes sure that the pod's shim runs, and gives what containerd is to read: an address, or the bootstrap
    /// parameters where containerd knows them (1.7 and later).
    /// </summary>
    public static string Start(ShimArguments arguments)
    {
        var bundle = Bundle.Load(arguments.Id, Directory.GetCurrentDirectory());
        var socket = ShimSocket.Of(arguments.Address, arguments.Namespace, bundle.GroupId);
        if (!socket.Answers())
        {
            if (bundle.Kind == TaskKind.Member)
                throw new OperationFailedException("start shim", arguments.Id, $"the shim of its pod {bundle.GroupId} is not running");
            // Not disposed: that would take the socket's name away, under which the shim goes on to listen.
            var listening = socket.Listen();
            try
            {
                Spawn(arguments, listening);
            }
            catch (SystemCallException)
            {
                socket.Remove();
                throw;
            }
        }

        // containerd 1.6 reads this file after a restart.
        File.WriteAllText("address", socket.Address);
        return Environment.GetEnvironmentVariable("MAX_SHIM_VERSION") is { Length: > 0 }
            ? JsonSerializer.Serialize(new BootstrapParameters(2, socket.Address, "ttrpc"), BootstrapJson.Default.BootstrapParameters)
            : socket.Address;
    }

    /// <summary>"delete": takes away what a shim that containerd has lost has left. Gives the message for containerd.</summary>
    public static byte[] Delete(ShimArguments arguments, TimeProvider time)
    {
        var folder = arguments.Bundle.Length > 0 ? arguments.Bundle : Directory.GetCurrentDirectory();
        // A pod's other containers lose nothing with one of them.
        if (TryLoad(arguments.Id, folder) is { Kind: not TaskKind.Member } bundle)
            ShimRemains.Remove(arguments, bundle);
        return new DeleteResponse { ExitStatus = 128 + Signals.Kill, ExitedAt = Timestamp.FromDateTimeOffset(time.GetUtcNow()) }.ToByteArray();
    }

    /// <summary>"serve": is the shim, until containerd needs it no more.</summary>
    public static Task ServeAsync(ShimArguments arguments, TimeProvider time) =>
        new ShimServer(arguments, time).RunAsync(InheritedSocket.Take(ListeningDescriptor));

    /// <summary>The shim outlives this process, which containerd waits for: nothing of ours may stay open in it.</summary>
    private static void Spawn(ShimArguments arguments, Socket listening) => Spawner.Start(new ChildStart
    {
        Program = Environment.ProcessPath ?? throw new InvalidOperationException("the program's own path is unknown"),
        Arguments =
        [
            "-id", arguments.Id, "-namespace", arguments.Namespace, "-address", arguments.Address, "-publish-binary", arguments.PublishBinary,
            .. arguments.Debug ? ["-debug"] : Array.Empty<string>(), "serve",
        ],
        Environment = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal),
        Files = new Dictionary<int, System.Runtime.InteropServices.SafeHandle> { [ListeningDescriptor] = listening.SafeHandle },
        NewSession = true,
    });

    private static Bundle? TryLoad(string id, string folder)
    {
        try
        {
            return Bundle.Load(id, folder);
        }
        catch (Exception e) when (e is OperationFailedException or MalformedDataException or IOException)
        {
            return null; // the bundle is gone, too
        }
    }
}

/// <summary>What "start" prints for containerd 1.7 and later (core/runtime/v2, BootstrapParams).</summary>
internal sealed record BootstrapParameters(int Version, string Address, string Protocol);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BootstrapParameters))]
internal sealed partial class BootstrapJson : JsonSerializerContext;
