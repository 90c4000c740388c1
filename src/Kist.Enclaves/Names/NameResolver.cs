using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Enclaves.Names;

/// <summary>
/// Finds hosts' addresses in /etc/hosts, then by the name servers in /etc/resolv.conf. The C library's resolver would load
/// code that files of the container name into the enclave host; this reads addresses and nothing else. Nobody vouches for
/// them, and nobody needs to: whoever answers at an address has to prove itself by its certificate.
/// </summary>
/// <param name="hostsFile">Its text; null if there is none.</param>
/// <param name="resolverFile">Its text; null if there is none.</param>
sealed class NameResolver(string? hostsFile, string? resolverFile)
{
    private const int MaxFileBytes = 64 * 1024, MaxServers = 3, MaxAddresses = 16, Port = 53;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    /// <summary>Tests listen elsewhere.</summary>
    internal int ServerPort { get; init; } = Port;

    /// <summary>The files that are read.</summary>
    public static IReadOnlyList<string> Files { get; } = ["/etc/hosts", "/etc/resolv.conf"];

    /// <summary>Connects by the files of this process's root as they are now.</summary>
    public static ValueTask<Stream> ConnectFromThisRootAsync(string host, int port, CancellationToken cancellationToken) =>
        new NameResolver(ReadText(Files[0]), ReadText(Files[1])).ConnectAsync(host, port, cancellationToken);

    /// <summary>Connects to a host by name or address.</summary>
    /// <exception cref="HttpRequestException">It has no address, or none that answers.</exception>
    public async ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        Exception? last = null;
        foreach (var address in (await ResolveAsync(host, cancellationToken).ConfigureAwait(false)).Take(MaxAddresses))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception e)
            {
                socket.Dispose();
                if (e is not SocketException)
                    throw;
                last = e;
            }
        }

        throw last is null
            ? new HttpRequestException(HttpRequestError.NameResolutionError, $"{host} has no address in /etc/hosts or at the name servers of /etc/resolv.conf")
            : new HttpRequestException(HttpRequestError.ConnectionError, $"{host}:{port}: {last.Message}", last);
    }

    /// <summary>The addresses of a host; none if it has none.</summary>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var literal))
            return [literal];
        var listed = Listed(host);
        if (listed.Count > 0)
            return listed;
        foreach (var server in Servers())
        {
            var found = new List<IPAddress>();
            foreach (var type in (ushort[])[DnsMessage.Address4, DnsMessage.Address6])
                found.AddRange(await AskAsync(server, host, type, cancellationToken).ConfigureAwait(false));
            if (found.Count > 0)
                return found;
        }

        return [];
    }

    /// <summary>Lines of hosts(5): an address, and names.</summary>
    private List<IPAddress> Listed(string host)
    {
        var found = new List<IPAddress>();
        foreach (var words in Lines(hostsFile))
        {
            if (words.Length > 1 && words.Skip(1).Contains(host, StringComparer.OrdinalIgnoreCase) && IPAddress.TryParse(words[0], out var address))
                found.Add(address);
        }

        return found;
    }

    /// <summary>Lines of resolv.conf(5): "nameserver" and an address.</summary>
    private IEnumerable<IPAddress> Servers() => Lines(resolverFile)
        .Where(w => w is ["nameserver", _] && IPAddress.TryParse(w[1], out _))
        .Select(w => IPAddress.Parse(w[1]))
        .Take(MaxServers);

    private static IEnumerable<string[]> Lines(string? text) => (text ?? "").Split('\n')
        .Select(l => l.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private async Task<IReadOnlyList<IPAddress>> AskAsync(IPAddress server, string host, ushort type, CancellationToken cancellationToken)
    {
        var question = DnsMessage.Question(BinaryPrimitives.ReadUInt16LittleEndian(RandomNumberGenerator.GetBytes(2)), host, type);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_patience);
        // Connected, it takes packets from this server only.
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(server, ServerPort), limit.Token).ConfigureAwait(false);
            await socket.SendAsync(question, limit.Token).ConfigureAwait(false);
            var answer = new byte[DnsMessage.MaxSize];
            var length = await socket.ReceiveAsync(answer, limit.Token).ConfigureAwait(false);
            return DnsMessage.Addresses(answer.AsSpan(0, length), question);
        }
        catch (Exception e) when (e is SocketException or MalformedDataException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return [];
        }
    }

    private static string? ReadText(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var bytes = new byte[MaxFileBytes];
            return System.Text.Encoding.Latin1.GetString(bytes, 0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
