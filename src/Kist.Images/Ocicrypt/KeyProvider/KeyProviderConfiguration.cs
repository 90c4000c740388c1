using System.Text.Json;
using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// The key providers of ocicrypt's configuration, the file that OCICRYPT_KEYPROVIDER_CONFIG names:
/// {"key-providers": {NAME: {"cmd": {"path": …, "args": […]}}, NAME: {"grpc": "host:port"}}}.
/// </summary>
public static class KeyProviderConfiguration
{
    private const string Structure = "key provider configuration";

    /// <summary>Reads the configuration; one client for each provider that can be reached here (ttrpc ones are left out).</summary>
    public static IReadOnlyList<KeyProviderClient> Parse(ReadOnlySpan<byte> json)
    {
        using var document = StrictJson.ParseObject(json, 1024 * 1024, Structure, maxDepth: 16);
        if (!document.RootElement.TryGetProperty("key-providers", out var providers) || providers.ValueKind != JsonValueKind.Object)
            throw new MalformedDataException(Structure, -1, "the object 'key-providers' is missing");
        var clients = new List<KeyProviderClient>();
        foreach (var provider in providers.EnumerateObject())
        {
            if (provider.Value.TryGetProperty("cmd", out var command) && command.ValueKind == JsonValueKind.Object)
            {
                var path = StrictJson.RequiredText(command, "path", Structure);
                string[] arguments = command.TryGetProperty("args", out var args) && args.ValueKind == JsonValueKind.Array
                    ? [.. args.EnumerateArray().Select(a => a.GetString() ?? "")]
                    : [];
                clients.Add(new KeyProviderClient(provider.Name, new KeyProviderProgram(path, arguments)));
            }
            else if (StrictJson.OptionalText(provider.Value, "grpc", Structure) is { } address)
            {
                clients.Add(new KeyProviderClient(provider.Name, new KeyProviderGrpc(address)));
            }
        }

        return clients;
    }
}
