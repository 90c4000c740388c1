using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Kist.Formats;

namespace Kist.KeyBroker.Plugins;

/// <summary>
/// Certificates for a Nebula overlay network, made by <c>nebula-cert</c> of an authority that the broker holds:
/// <c>GET /kbs/v0/nebula-ca/credential?name=&amp;ip=[&amp;duration=&amp;groups=&amp;subnets=]</c> gives
/// <c>{node_crt, node_key, ca_crt}</c>, each an array of bytes, as Trustee's plugin does.
/// </summary>
/// <param name="authority">The folder of <c>ca.crt</c> and <c>ca.key</c>.</param>
/// <param name="program">The program, by name or path.</param>
public sealed partial class NebulaCaPlugin(string authority, string program = "nebula-cert") : IBrokerPlugin
{
    private const int MaxFileBytes = 64 * 1024;

    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public string Name => "nebula-ca";

    /// <inheritdoc/>
    public PluginAudience? AudienceOf(string method, IReadOnlyList<string> path) =>
        method == "GET" && path is ["credential"] ? PluginAudience.Workloads : null;

    /// <inheritdoc/>
    public async Task<byte[]> HandleAsync(PluginRequest request, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("kist-nebula-");
        try
        {
            var (certificate, key) = (Path.Combine(folder.FullName, "node.crt"), Path.Combine(folder.FullName, "node.key"));
            var arguments = new List<string>
            {
                "sign", "-ca-crt", Path.Combine(authority, "ca.crt"), "-ca-key", Path.Combine(authority, "ca.key"), "-out-crt", certificate, "-out-key", key,
            };
            Add(arguments, request, "name", NamePattern, isRequired: true);
            Add(arguments, request, "ip", NetworkPattern, isRequired: true);
            Add(arguments, request, "duration", DurationPattern);
            Add(arguments, request, "groups", GroupsPattern);
            Add(arguments, request, "subnets", NetworksPattern);
            if (request.Query.Keys.FirstOrDefault(k => k is not ("name" or "ip" or "duration" or "groups" or "subnets")) is { } unknown)
                throw new PluginRefusedException($"the query parameter \"{unknown}\" is not known");
            await RunAsync(arguments, cancellationToken).ConfigureAwait(false);
            return Answer(Read(certificate), Read(key), Read(Path.Combine(authority, "ca.crt")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Adds a parameter. What a workload says becomes an argument of a program, so it must be of exactly the form that it has.</summary>
    private static void Add(List<string> arguments, PluginRequest request, string name, Regex form, bool isRequired = false)
    {
        if (!request.Query.TryGetValue(name, out var value))
        {
            if (isRequired)
                throw new PluginRefusedException($"the query parameter \"{name}\" is missing");
            return;
        }

        if (!form.IsMatch(value))
            throw new PluginRefusedException($"the query parameter \"{name}\" is not of the form that it must have");
        arguments.AddRange([$"-{name}", value]);
    }

    private async Task RunAsync(List<string> arguments, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeLimit);
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true })!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new OperationFailedException("make a Nebula certificate", program, e.Message, "install nebula, or name its nebula-cert", inner: e);
        }

        using (process)
        {
            process.StandardInput.Close();
            try
            {
                var output = process.StandardOutput.ReadToEndAsync(limit.Token);
                var error = await process.StandardError.ReadToEndAsync(limit.Token).ConfigureAwait(false);
                await output.ConfigureAwait(false);
                await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
                if (process.ExitCode != 0)
                    throw new OperationFailedException("make a Nebula certificate", program, error.Trim(), "look at the authority's files and at what it allows");
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
        }
    }

    private static byte[] Read(string path) => new FileInfo(path) is { Exists: true, Length: <= MaxFileBytes }
        ? File.ReadAllBytes(path)
        : throw new OperationFailedException("make a Nebula certificate", path, "the file is not there, or is too large");

    private static byte[] Answer(byte[] certificate, byte[] key, byte[] authority)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (name, bytes) in new[] { ("node_crt", certificate), ("node_key", key), ("ca_crt", authority) })
            {
                writer.WriteStartArray(name);
                foreach (var b in bytes)
                    writer.WriteNumberValue(b);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        System.Security.Cryptography.CryptographicOperations.ZeroMemory(key);
        return buffer.ToArray();
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\z")]
    private static partial Regex NamePattern { get; }

    [GeneratedRegex(@"\A[0-9a-fA-F.:]{2,45}/[0-9]{1,3}\z")]
    private static partial Regex NetworkPattern { get; }

    [GeneratedRegex(@"\A[0-9a-fA-F.:]{2,45}/[0-9]{1,3}(,[0-9a-fA-F.:]{2,45}/[0-9]{1,3}){0,15}\z")]
    private static partial Regex NetworksPattern { get; }

    [GeneratedRegex(@"\A([0-9]{1,6}[hms]){1,3}\z")]
    private static partial Regex DurationPattern { get; }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._:-]{0,63}(,[A-Za-z0-9][A-Za-z0-9._:-]{0,63}){0,31}\z")]
    private static partial Regex GroupsPattern { get; }
}
