using Kist.Formats;

namespace Kist.Kubernetes;

/// <summary>The objects of one or more manifest files.</summary>
public sealed class ManifestSet
{
    private static readonly string[] Ignored =
        ["Namespace", "Service", "ServiceAccount", "Ingress", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler", "PersistentVolumeClaim",
         "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "RuntimeClass", "CustomResourceDefinition"];

    private readonly List<MapNode> _documents = [];
    private readonly List<Workload> _workloads = [];
    private readonly Dictionary<string, ManifestObject> _configMaps = new(StringComparer.Ordinal), _secrets = new(StringComparer.Ordinal);

    /// <summary>The documents as read.</summary>
    public IReadOnlyList<MapNode> Documents => _documents;

    /// <summary>Everything that makes pods.</summary>
    public IReadOnlyList<Workload> Workloads => _workloads;

    /// <summary>Reads another file.</summary>
    /// <param name="text">Its text.</param>
    /// <param name="source">Its name.</param>
    /// <param name="review">Receives what is not understood.</param>
    /// <exception cref="MalformedDataException">It is no manifest.</exception>
    public void Add(string text, string source, ManifestReview review)
    {
        foreach (var document in ManifestReader.Read(text, source))
        {
            _documents.Add(document);
            AddObject(new ManifestObject(document, source, ""), _documents.Count - 1, [], review);
        }
    }

    /// <summary>A ConfigMap of the set, or null.</summary>
    public ManifestObject? ConfigMap(string name) => _configMaps.GetValueOrDefault(name);

    /// <summary>A Secret of the set, or null.</summary>
    public ManifestObject? Secret(string name) => _secrets.GetValueOrDefault(name);

    private void AddObject(ManifestObject value, int document, IReadOnlyList<int> listPath, ManifestReview review)
    {
        var kind = value.Text("kind");
        if (kind == "List" || (kind.EndsWith("List", StringComparison.Ordinal) && value.Has("items")))
        {
            var items = value.Children("items");
            for (var i = 0; i < items.Count; i++)
                AddObject(items[i], document, [.. listPath, i], review);
            return;
        }

        if (Workload.TemplatePath(value.Text("apiVersion"), kind) is not null)
            _workloads.Add(new Workload(value, document, listPath));
        else if (kind == "ConfigMap")
            Register(_configMaps, value);
        else if (kind == "Secret")
            Register(_secrets, value);
        else if (!Ignored.Contains(kind))
            review.Warn(value.PlaceOf("kind"), $"{kind} is not looked at: if it makes pods, they get no policy");
    }

    private static void Register(Dictionary<string, ManifestObject> objects, ManifestObject value)
    {
        if (!objects.TryAdd(value.Child("metadata").Text("name"), value))
            throw value.Child("metadata").Malformed("name", "is given to two objects");
    }
}
