using System.ComponentModel;
using System.Diagnostics;
using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>A key provider that is a program: the request on its standard input, the answer on its standard output.</summary>
public sealed class KeyProviderProgram(string path, IReadOnlyList<string> arguments) : IKeyProviderTransport
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public async Task<byte[]> CallAsync(bool isWrap, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_timeout);
        using var process = Start();
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(json, timeout.Token).ConfigureAwait(false);
            process.StandardInput.Close();
            var buffer = new byte[KeyProviderMessage.MaxBytes];
            var length = await process.StandardOutput.BaseStream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, timeout.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
            return process.ExitCode == 0 ? buffer[..length] : throw Failure($"exit status {process.ExitCode}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failure($"no answer within {s_timeout.TotalSeconds:0} s");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    private Process Start()
    {
        try
        {
            return Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        }
        catch (Win32Exception e)
        {
            throw Failure(e.Message);
        }
    }

    private OperationFailedException Failure(string reason) => new("ask key provider", path, reason);
}
