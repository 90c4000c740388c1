namespace Kist.KeyBroker.Plugins;

/// <summary>
/// Something else than secrets that the broker gives to attested workloads: what Trustee calls a plugin, at
/// <c>/kbs/v0/NAME/…</c>. Who may ask is decided before a plugin is asked: administrators by their role, workloads by their token
/// and by the resource policy, which sees <c>data.plugin</c>, <c>data["resource-path"]</c> and <c>data.query</c>.
/// </summary>
public interface IBrokerPlugin
{
    /// <summary>The first part of its paths.</summary>
    string Name { get; }

    /// <summary>
    /// Who a request is for: administrators, or workloads, whose answers are encrypted to their keys. Null if there is no such route.
    /// </summary>
    PluginAudience? AudienceOf(string method, IReadOnlyList<string> path);

    /// <summary>Answers a request that may be answered.</summary>
    /// <exception cref="PluginRefusedException">The request is wrong, or there is nothing to give.</exception>
    /// <exception cref="Formats.OperationFailedException">It could not be done.</exception>
    Task<byte[]> HandleAsync(PluginRequest request, CancellationToken cancellationToken);
}

/// <summary>Who may make a request.</summary>
public enum PluginAudience
{
    /// <summary>Administrators who may write secrets; the answer is not encrypted.</summary>
    Administrators,

    /// <summary>Attested workloads that the resource policy allows; the answer is encrypted to the workload's key.</summary>
    Workloads,
}

/// <summary>A request to a plugin.</summary>
/// <param name="Method">GET, POST, PUT or DELETE.</param>
/// <param name="Path">The parts of the path after the plugin's name.</param>
/// <param name="Query">The query's parameters, each once.</param>
/// <param name="Body">The body; empty if there is none.</param>
public sealed record PluginRequest(string Method, IReadOnlyList<string> Path, IReadOnlyDictionary<string, string> Query, ReadOnlyMemory<byte> Body);

/// <summary>A plugin does not answer a request; the message is for the peer.</summary>
public sealed class PluginRefusedException(string message, bool isMissing = false) : Exception(message)
{
    /// <summary>True if what was asked for does not exist; otherwise the request is wrong.</summary>
    public bool IsMissing => isMissing;
}
