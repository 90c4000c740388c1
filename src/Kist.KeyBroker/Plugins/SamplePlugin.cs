namespace Kist.KeyBroker.Plugins;

/// <summary>Trustee's example: administrators get a fixed text, whatever they ask.</summary>
public sealed class SamplePlugin : IBrokerPlugin
{
    /// <inheritdoc/>
    public string Name => "sample";

    /// <inheritdoc/>
    public PluginAudience? AudienceOf(string method, IReadOnlyList<string> path) => PluginAudience.Administrators;

    /// <inheritdoc/>
    public Task<byte[]> HandleAsync(PluginRequest request, CancellationToken cancellationToken) => Task.FromResult("sample plugin response"u8.ToArray());
}
