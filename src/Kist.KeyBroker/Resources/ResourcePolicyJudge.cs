using System.Text.Json;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Telemetry;

namespace Kist.KeyBroker.Resources;

/// <summary>Asks the resource policies: may who has these claims have this secret?</summary>
sealed class ResourcePolicyJudge(IPolicyEngine engine)
{
    private const string Query = "data.policy.allow";

    /// <summary>All of the policies must allow it.</summary>
    /// <returns>Null if they do; else why not, for the operator.</returns>
    /// <exception cref="PolicyFailedException">One of them could not be evaluated.</exception>
    public IReadOnlyList<string>? Judge(
        IReadOnlyList<StoredPolicy> policies, ResourceUri uri, IReadOnlyDictionary<string, string> query, JsonElement claims, CancellationToken cancellationToken) =>
        Judge(policies, "resource", [uri.Repository, uri.Type, uri.Tag], query, claims, cancellationToken);

    /// <summary>The same for a plugin: what it is asked for, and how.</summary>
    /// <inheritdoc cref="Judge(IReadOnlyList{StoredPolicy}, ResourceUri, IReadOnlyDictionary{string, string}, JsonElement, CancellationToken)"/>
    public IReadOnlyList<string>? Judge(
        IReadOnlyList<StoredPolicy> policies, string plugin, IReadOnlyList<string> path, IReadOnlyDictionary<string, string> query, JsonElement claims, CancellationToken cancellationToken)
    {
        using var data = JsonDocument.Parse(PolicyData(plugin, path, query));
        foreach (var policy in policies)
        {
            using var span = BrokerTracing.Start("decide");
            span?.SetTag("kist.policy", policy.Name);
            var answer = engine.Evaluate(policy.Name, policy.Text, Query, claims, data.RootElement, null, cancellationToken);
            if (answer.Value is not { ValueKind: JsonValueKind.True })
                return [$"{policy.Name} does not allow it", .. answer.Trace.Value];
        }

        // An empty list of policies allows nothing.
        return policies.Count == 0 ? ["there is no policy"] : null;
    }

    private static byte[] PolicyData(string plugin, IReadOnlyList<string> path, IReadOnlyDictionary<string, string> query) => JsonBytes.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("plugin"u8, plugin);
        writer.WriteStartArray("resource-path"u8);
        foreach (var part in path)
            writer.WriteStringValue(part);
        writer.WriteEndArray();
        writer.WriteStartObject("query"u8);
        foreach (var (name, value) in query)
            writer.WriteString(name, value);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });
}
