using System.Net.Sockets;
using System.Text;
using Kist.Linux.Network;
using Microsoft.Win32.SafeHandles;

namespace Kist.Rune.Tests;

/// <summary>The caller's side of --console-socket.</summary>
sealed class ConsoleListener : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public ConsoleListener(string path)
    {
        Path = path;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
    }

    public string Path { get; }

    public SafeFileHandle Accept()
    {
        using var connection = _listener.Accept();
        return DescriptorSocket.Receive(connection);
    }

    /// <summary>All that a terminal shows until its last program has closed it (EIO).</summary>
    public static string ReadToEnd(FileStream terminal)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            for (int read; (read = terminal.Read(buffer)) > 0;)
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        catch (IOException)
        {
            // The end of a terminal.
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();
}
