using System.Net.Sockets;
using System.Runtime.InteropServices;
using Kist.Formats;
using Kist.Linux;
using Kist.Linux.Network;
using Kist.Linux.Terminals;
using Microsoft.Win32.SafeHandles;

namespace Kist.Rune;

/// <summary>Where the outer end of a program's terminal goes.</summary>
static class TerminalConsole
{
    /// <summary>To the caller's socket (runc's protocol of --console-socket: one message, one descriptor).</summary>
    public static void Send(string path, SafeFileHandle master)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e)
        {
            throw new OperationFailedException("connect to console socket", path, e.Message, "the caller must listen there", inner: e);
        }

        DescriptorSocket.Send(socket, master, "/dev/ptmx");
    }

    /// <summary>To this process's own terminal, until disposed.</summary>
    public static IDisposable Show(SafeFileHandle master) => new Shown(master);

    private sealed class Shown : IDisposable
    {
        private readonly SafeFileHandle _input = new(0, ownsHandle: false);
        private readonly SafeFileHandle _output = new(1, ownsHandle: false);
        private readonly RawTerminal? _raw;
        private readonly PosixSignalRegistration? _resized;
        private readonly Thread _copying;

        public Shown(SafeFileHandle master)
        {
            if (RawTerminal.IsTerminal(_input))
            {
                _raw = new RawTerminal(_input);
                TerminalSize.Get(_input).Set(master);
                _resized = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => TerminalSize.Get(_input).Set(master));
            }

            new Thread(() => Copy(_input, master)) { IsBackground = true, Name = "terminal input" }.Start();
            _copying = new Thread(() => Copy(master, _output)) { IsBackground = true, Name = "terminal output" };
            _copying.Start();
        }

        public void Dispose()
        {
            // The last output is still on its way when the exit code has come; the end of the terminal follows it.
            _copying.Join(TimeSpan.FromSeconds(1));
            _resized?.Dispose();
            _raw?.Dispose();
        }

        private static void Copy(SafeFileHandle from, SafeFileHandle to)
        {
            var buffer = new byte[4096];
            try
            {
                using var source = new FileStream(new SafeFileHandle(from.DangerousGetHandle(), ownsHandle: false), FileAccess.Read, bufferSize: 0);
                using var target = new FileStream(new SafeFileHandle(to.DangerousGetHandle(), ownsHandle: false), FileAccess.Write, bufferSize: 0);
                for (int read; (read = source.Read(buffer)) > 0;)
                    target.Write(buffer.AsSpan(0, read));
            }
            catch (Exception e) when (e is IOException or SystemCallException or ObjectDisposedException)
            {
                // A terminal ends with EIO when its last program has closed it.
            }
        }
    }
}
