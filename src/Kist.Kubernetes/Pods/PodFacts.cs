using System.Security.Cryptography;
using System.Text;
using Kist.Host;

namespace Kist.Kubernetes;

/// <summary>What is known of a pod before it runs, apart from its containers.</summary>
sealed class PodFacts
{
    private const string AddressPattern = "[0-9a-fA-F.:]+", NamePattern = "[a-z0-9]([a-z0-9.-]*[a-z0-9])?";

    /// <summary>Kubernetes cuts the name of an owner to this many characters before it adds a suffix.</summary>
    private const int CutNameLength = 58;

    private readonly ManifestObject _metadata, _spec;
    private readonly RuntimeText _name;
    private readonly string _namespace;
    private readonly bool _isLocal;

    /// <param name="workload">The pod.</param>
    /// <param name="defaultNamespace">The namespace of objects that name none.</param>
    /// <param name="isLocal">True for a pod without a cluster, of which everything is known.</param>
    public PodFacts(Workload workload, string defaultNamespace, bool isLocal)
    {
        _isLocal = isLocal;
        _metadata = workload.Template.OptionalChild("metadata") ?? ManifestObject.Empty;
        _spec = workload.Template.Child("spec");
        _namespace = workload.Metadata.OptionalText("namespace") ?? defaultNamespace;
        _name = isLocal ? RuntimeText.Literal(workload.Name) : NameOf(workload);
    }

    /// <summary>The host name, for the policy.</summary>
    public RuntimeText Hostname => _spec.OptionalText("hostname") is { } name ? RuntimeText.Literal(name)
        : _name.Known is { } known ? RuntimeText.Literal(known[..Math.Min(63, known.Length)])
        : _name;

    /// <summary>The value of a fieldRef; null if it has no place in a policy.</summary>
    /// <param name="path">Such as "metadata.name".</param>
    public RuntimeText? Field(string path) => (_isLocal ? LocalField(path) : null) ?? path switch
    {
        "metadata.name" => _name,
        "metadata.namespace" => RuntimeText.Literal(_namespace),
        "metadata.uid" => RuntimeText.Pattern("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "4f6b2f3e-0000-4000-8000-000000000000"),
        "spec.nodeName" => RuntimeText.Pattern(NamePattern, "node-1"),
        "spec.serviceAccountName" => RuntimeText.Literal(_spec.OptionalText("serviceAccountName") ?? "default"),
        "status.hostIP" or "status.podIP" => RuntimeText.Pattern(AddressPattern, "10.0.0.1"),
        "status.hostIPs" or "status.podIPs" => RuntimeText.Pattern($"{AddressPattern}(,{AddressPattern})*", "10.0.0.1"),
        _ => Key(path, "labels") ?? Key(path, "annotations"),
    };

    /// <summary>What only a cluster would know; a pod without one has no address but its own.</summary>
    private RuntimeText? LocalField(string path) => path switch
    {
        "metadata.uid" => RuntimeText.Literal(new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{_namespace}/{_name.Known}")).AsSpan(0, 16)).ToString()),
        "spec.nodeName" => RuntimeText.Literal("localhost"),
        "status.hostIP" or "status.podIP" or "status.hostIPs" or "status.podIPs" => RuntimeText.Literal("127.0.0.1"),
        _ => null,
    };

    private RuntimeText? Key(string path, string table)
    {
        var prefix = $"metadata.{table}['";
        if (!path.StartsWith(prefix, StringComparison.Ordinal) || !path.EndsWith("']", StringComparison.Ordinal))
            return null;
        // The object's controllers may add labels, but do not change those that its template has.
        return _metadata.StringMap(table).TryGetValue(path[prefix.Length..^2], out var value) ? RuntimeText.Literal(value) : null;
    }

    private static RuntimeText NameOf(Workload workload)
    {
        if (workload.Kind == "Pod")
            return RuntimeText.Literal(workload.Name);
        var name = workload.Name[..Math.Min(workload.Name.Length, CutNameLength - 12)];
        return RuntimeText.Literal(name).Append(RuntimeText.Pattern(workload.Kind == "StatefulSet" ? "[a-z0-9.-]*-[0-9]+" : "[a-z0-9.-]*-[a-z0-9]+", "-0"));
    }
}
