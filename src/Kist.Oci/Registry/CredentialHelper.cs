using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>Asks a docker-credential-NAME program, by docker's credential helper protocol.</summary>
static class CredentialHelper
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(20);

    public static async Task<RegistryCredential?> GetAsync(string name, string server, CancellationToken cancellationToken)
    {
        if (name.AsSpan().ContainsAny('/', '\0') || name.Length == 0)
            throw new MalformedDataException("auth.json", -1, $"'{name}' is no credential helper's name");
        var program = "docker-credential-" + name;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_timeout);
        using var process = Start(program);
        try
        {
            await process.StandardInput.WriteLineAsync(server.AsMemory(), timeout.Token).ConfigureAwait(false);
            process.StandardInput.Close();
            var buffer = new byte[64 * 1024];
            var length = await process.StandardOutput.BaseStream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, timeout.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
            if (process.ExitCode != 0)
                return null;
            var answer = OciJson.Parse(buffer.AsSpan(0, length), OciJson.Context.CredentialHelperAnswer, program);
            return answer is { Username: { } user, Secret: { } secret }
                ? new RegistryCredential(user == "<token>" ? "" : user, secret, IsIdentityToken: user == "<token>")
                : null;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    private static Process Start(string program)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, ["get"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = false,
                UseShellExecute = false,
            })!;
        }
        catch (Win32Exception e)
        {
            throw new OperationFailedException("find credentials", program, e.Message, "install it, or remove it from the auth file", inner: e);
        }
    }
}

sealed record CredentialHelperAnswer
{
    [JsonPropertyName("Username")]
    public string? Username { get; init; }

    [JsonPropertyName("Secret")]
    public string? Secret { get; init; }
}
