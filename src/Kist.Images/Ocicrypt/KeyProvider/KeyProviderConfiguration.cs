using System.Text.Json;
using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// The key providers of ocicrypt's configuration, the file that OCICRYPT_KEYPROVIDER_CONFIG names: {"key-providers": {NAME:
/// {"cmd": {"path": …, "args": […]}}, NAME: {"grpc": "host:port"}, NAME: {"ttrpc": "unix:///path"}}}.
/// </summary>
public sealed class KeyProviderConfiguration
{
    private const string Structure = "key provider configuration";
    private const string Variable = "OCICRYPT_KEYPROVIDER_CONFIG";
    private const int MaxBytes = 1024 * 1024;

    private readonly Dictionary<string, IKeyProviderTransport> _transports = new(StringComparer.Ordinal);

    /// <summary>The providers' names.</summary>
    public IReadOnlyCollection<string> Names => _transports.Keys;

    /// <summary>The configuration that the environment names; empty if it names none.</summary>
    public static KeyProviderConfiguration FromEnvironment() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? Parse(File.ReadAllBytes(path)) : new KeyProviderConfiguration();

    /// <summary>Reads a configuration.</summary>
    public static KeyProviderConfiguration Parse(ReadOnlySpan<byte> json)
    {
        using var document = StrictJson.ParseObject(json, MaxBytes, Structure, maxDepth: 16);
        if (!document.RootElement.TryGetProperty("key-providers", out var providers) || providers.ValueKind != JsonValueKind.Object)
            throw new MalformedDataException(Structure, -1, "the object 'key-providers' is missing");
        var configuration = new KeyProviderConfiguration();
        foreach (var provider in providers.EnumerateObject())
            configuration._transports.Add(provider.Name, ReadTransport(provider));
        return configuration;
    }

    /// <summary>A client of a provider.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="parameters">What to tell it.</param>
    /// <exception cref="OperationFailedException">There is no such provider.</exception>
    public KeyProviderClient Client(string name, params IReadOnlyList<string> parameters) => _transports.TryGetValue(name, out var transport)
        ? new KeyProviderClient(name, transport, parameters)
        : throw new OperationFailedException(
            "choose key provider", name, Names.Count == 0 ? "no key provider is configured" : "there are only " + string.Join(", ", Names),
            $"name the configuration's file in {Variable}");

    private static IKeyProviderTransport ReadTransport(JsonProperty provider)
    {
        if (provider.Value.ValueKind != JsonValueKind.Object)
            throw new MalformedDataException(Structure, -1, $"the provider '{provider.Name}' is no object");
        if (provider.Value.TryGetProperty("cmd", out var command) && command.ValueKind == JsonValueKind.Object)
        {
            string[] arguments = command.TryGetProperty("args", out var args) && args.ValueKind == JsonValueKind.Array
                ? [.. args.EnumerateArray().Select(a => a.GetString() ?? "")]
                : [];
            return new KeyProviderProgram(StrictJson.RequiredText(command, "path", Structure), arguments);
        }

        if (StrictJson.OptionalText(provider.Value, "grpc", Structure) is { } address)
            return new KeyProviderGrpc(address);
        return StrictJson.OptionalText(provider.Value, "ttrpc", Structure) is { } socket
            ? new KeyProviderTtrpc(socket)
            : throw new MalformedDataException(Structure, -1, $"the provider '{provider.Name}' has neither cmd nor grpc nor ttrpc");
    }
}
