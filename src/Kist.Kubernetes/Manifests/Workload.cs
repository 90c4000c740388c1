namespace Kist.Kubernetes;

/// <summary>An object that makes pods.</summary>
/// <param name="value">The object.</param>
/// <param name="document">Which document of the set it is in.</param>
/// <param name="listPath">Where in nested lists.</param>
public sealed class Workload(ManifestObject value, int document, IReadOnlyList<int> listPath)
{
    /// <summary>"Pod", "Deployment", …</summary>
    public string Kind => value.Text("kind");

    /// <summary>Its name.</summary>
    public string Name => Metadata.Text("name");

    /// <summary>"deployment-web": a name for its files.</summary>
    public string FileName => $"{Kind}-{Name}".ToLowerInvariant();

    /// <summary>Where it is, for messages.</summary>
    public string Place => value.PlaceOf();

    internal ManifestObject Metadata => value.Child("metadata");

    /// <summary>The pod's own object: metadata and spec.</summary>
    internal ManifestObject Template => Path.Aggregate(value, (v, name) => v.Child(name));

    private IReadOnlyList<string> Path => TemplatePath(value.Text("apiVersion"), Kind)!;

    /// <summary>The way to the pod's template; null if such an object makes no pods.</summary>
    internal static IReadOnlyList<string>? TemplatePath(string apiVersion, string kind) => (apiVersion, kind) switch
    {
        ("v1", "Pod") => [],
        ("v1", "PodTemplate") => ["template"],
        ("v1", "ReplicationController") => ["spec", "template"],
        ("apps/v1", "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet") => ["spec", "template"],
        ("batch/v1", "Job") => ["spec", "template"],
        ("batch/v1", "CronJob") => ["spec", "jobTemplate", "spec", "template"],
        _ => null,
    };

    /// <summary>The documents with this workload's pod under an annotation and a runtime class.</summary>
    public IReadOnlyList<MapNode> Annotate(IReadOnlyList<MapNode> documents, IReadOnlyDictionary<string, string> annotations, string runtimeClass)
    {
        var changed = documents.ToArray();
        changed[document] = (MapNode)InList(changed[document], 0, root => InTemplate((MapNode)root, 0, pod => Annotate(pod, annotations, runtimeClass)));
        return changed;
    }

    private static MapNode Annotate(MapNode pod, IReadOnlyDictionary<string, string> annotations, string runtimeClass)
    {
        var metadata = pod.Find("metadata") as MapNode ?? new MapNode([], pod.Line);
        var all = metadata.Find("annotations") as MapNode ?? new MapNode([], pod.Line);
        foreach (var (name, text) in annotations)
            all = all.With(name, new ScalarNode(text, true, pod.Line));
        var spec = (MapNode)pod.Find("spec")!;
        return pod.With("metadata", metadata.With("annotations", all)).With("spec", spec.With("runtimeClassName", new ScalarNode(runtimeClass, true, spec.Line)));
    }

    private ManifestNode InList(ManifestNode node, int depth, Func<ManifestNode, ManifestNode> change)
    {
        if (depth == listPath.Count)
            return change(node);
        var items = (ListNode)((MapNode)node).Find("items")!;
        var changed = items.Items.Select((item, i) => i == listPath[depth] ? InList(item, depth + 1, change) : item).ToList();
        return ((MapNode)node).With("items", items with { Items = changed });
    }

    private MapNode InTemplate(MapNode node, int depth, Func<MapNode, MapNode> change) => depth == Path.Count
        ? change(node)
        : node.With(Path[depth], InTemplate((MapNode)node.Find(Path[depth])!, depth + 1, change));
}
