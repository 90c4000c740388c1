using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Kist.Formats;
using Kist.Linux.Files;

namespace Kist.Enclaves.Relay;

/// <summary>An address of a relay: <c>tcp://HOST:PORT</c> or <c>unix:PATH</c> (also <c>unix://PATH</c>, as inclavared has it).</summary>
public sealed record RelayAddress
{
    private const int MaxSocketPath = 100;

    private RelayAddress(string? host, int port, string? path)
    {
        Host = host;
        Port = port;
        Path = path;
    }

    /// <summary>Host of a TCP address; null for a Unix socket.</summary>
    public string? Host { get; }

    /// <summary>Port of a TCP address.</summary>
    public int Port { get; }

    /// <summary>Path of a Unix socket; null for TCP.</summary>
    public string? Path { get; }

    /// <summary>Parses an address.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static RelayAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (var prefix in new[] { "unix://", "unix:" })
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal) && text.Length > prefix.Length)
                return new RelayAddress(null, 0, text[prefix.Length..]);
        }

        if (text.StartsWith("tcp://", StringComparison.Ordinal))
        {
            var rest = text["tcp://".Length..];
            var colon = rest.LastIndexOf(':');
            if (colon > 0 && ushort.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
                return new RelayAddress(rest[..colon].Trim('[', ']'), port, null);
        }

        throw new MalformedDataException("address", -1, $"\"{text}\" is neither tcp://HOST:PORT nor unix:PATH");
    }

    /// <summary>Connects.</summary>
    /// <exception cref="OperationFailedException">Nobody listens there.</exception>
    public async Task<NetworkStream> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (Path is null)
            {
                var tcp = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await ConnectAsync(tcp, new DnsEndPoint(Host!, Port), cancellationToken).ConfigureAwait(false);
                return new NetworkStream(tcp, ownsSocket: true);
            }

            var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            // The kernel takes no long paths; through its open directory every socket has a short one.
            using var directory = DirectoryRoot.Open(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!);
            var path = Path.Length <= MaxSocketPath ? Path : $"{directory.ProcPath}/{System.IO.Path.GetFileName(Path)}";
            await ConnectAsync(unix, new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(unix, ownsSocket: true);
        }
        catch (SocketException e)
        {
            throw new OperationFailedException("connect", ToString(), e.Message, "check that the enclave or its relay runs", isTransient: true, inner: e);
        }
    }

    /// <summary>Listens.</summary>
    /// <exception cref="OperationFailedException">The address is taken, or not this machine's.</exception>
    internal Socket Listen()
    {
        try
        {
            if (Path is not null)
            {
                var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                unix.Bind(new UnixDomainSocketEndPoint(Path));
                unix.Listen();
                return unix;
            }

            if (!IPAddress.TryParse(Host, out var address))
                throw new MalformedDataException("address", -1, $"\"{Host}\" is no IP address to listen on");
            var tcp = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            tcp.Bind(new IPEndPoint(address, Port));
            tcp.Listen();
            return tcp;
        }
        catch (SocketException e)
        {
            throw new OperationFailedException("listen", ToString(), e.Message, "choose another address", inner: e);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Path is null ? $"tcp://{Host}:{Port}" : $"unix:{Path}";

    private static async Task ConnectAsync(Socket socket, EndPoint address, CancellationToken cancellationToken)
    {
        try
        {
            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
