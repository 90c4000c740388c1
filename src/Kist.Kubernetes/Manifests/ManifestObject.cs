using Kist.Formats;

namespace Kist.Kubernetes;

/// <summary>An object of a manifest with its place; reads fields by the types that Kubernetes' API gives them.</summary>
/// <param name="node">Its node.</param>
/// <param name="source">The file.</param>
/// <param name="path">The field that it is, such as "spec.containers[0]".</param>
public sealed class ManifestObject(MapNode node, string source, string path)
{
    /// <summary>The node.</summary>
    public MapNode Node => node;

    /// <summary>The names of its fields, without those that are null.</summary>
    public IEnumerable<string> Names => node.Entries.Where(e => !IsNull(e.Value)).Select(e => e.Key);

    /// <summary>An object without fields.</summary>
    public static ManifestObject Empty { get; } = new(new MapNode([], 0), "", "");

    /// <summary>Where a field is, or the object itself.</summary>
    public string PlaceOf(string? name = null)
    {
        var field = name is null ? path : path.Length == 0 ? name : $"{path}.{name}";
        var line = name is null ? node.Line : (node.Find(name)?.Line ?? node.Line);
        return $"{source}:{line}: {field}";
    }

    /// <summary>True if the field is there and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>A string that must be there.</summary>
    public string Text(string name) => OptionalText(name) ?? throw Malformed(name, "is missing");

    /// <summary>A string, or null.</summary>
    public string? OptionalText(string name) => Find(name) is { } value ? AsText(value, name) : null;

    /// <summary>An integer, or null.</summary>
    public long? OptionalInteger(string name) => Find(name) switch
    {
        null => null,
        ScalarNode { IsQuoted: false } s when ScalarTypes.Integer(s.Text) is { } value => value,
        _ => throw Malformed(name, "is not an integer"),
    };

    /// <summary>A boolean; false if it is not there.</summary>
    public bool Flag(string name) => OptionalFlag(name) ?? false;

    /// <summary>A boolean, or null.</summary>
    public bool? OptionalFlag(string name) => Find(name) switch
    {
        null => null,
        ScalarNode { IsQuoted: false } s when ScalarTypes.Boolean(s.Text) is { } value => value,
        _ => throw Malformed(name, "is neither true nor false"),
    };

    /// <summary>A quantity or another value of which only the text counts.</summary>
    public string? OptionalScalar(string name) => Find(name) switch
    {
        null => null,
        ScalarNode s => s.Text,
        _ => throw Malformed(name, "is not a single value"),
    };

    /// <summary>An object that must be there.</summary>
    public ManifestObject Child(string name) => OptionalChild(name) ?? throw Malformed(name, "is missing");

    /// <summary>An object, or null.</summary>
    public ManifestObject? OptionalChild(string name) => Find(name) switch
    {
        null => null,
        MapNode map => new ManifestObject(map, source, Field(name)),
        _ => throw Malformed(name, "is not an object"),
    };

    /// <summary>The objects of a list; none if it is not there.</summary>
    public IReadOnlyList<ManifestObject> Children(string name) => List(name, (item, i) => item is MapNode map
        ? new ManifestObject(map, source, $"{Field(name)}[{i}]")
        : throw Malformed(name, $"[{i}] is not an object"));

    /// <summary>The strings of a list; none if it is not there.</summary>
    public IReadOnlyList<string> Strings(string name) => List(name, (item, i) => AsText(item, $"{name}[{i}]"));

    /// <summary>An object whose values are all strings.</summary>
    public IReadOnlyDictionary<string, string> StringMap(string name) => OptionalChild(name) is { } map
        ? map.Names.ToDictionary(n => n, map.Text, StringComparer.Ordinal)
        : new Dictionary<string, string>();

    /// <summary>The exception for a field that is not what it must be.</summary>
    public MalformedDataException Malformed(string name, string reason) => new("manifest", -1, $"{PlaceOf(name)} {reason}");

    private IReadOnlyList<T> List<T>(string name, Func<ManifestNode, int, T> read) => Find(name) switch
    {
        null => [],
        ListNode list => [.. list.Items.Select(read)],
        _ => throw Malformed(name, "is not a list"),
    };

    private string AsText(ManifestNode value, string name) => value is ScalarNode s
        ? s.IsQuoted || !ScalarTypes.IsNoString(s.Text) ? s.Text : throw Malformed(name, $"is not a string: write \"{s.Text}\" in quotes")
        : throw Malformed(name, "is not a string");

    private ManifestNode? Find(string name) => node.Find(name) is { } value && !IsNull(value) ? value : null;

    private string Field(string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static bool IsNull(ManifestNode value) => value is ScalarNode { IsQuoted: false, Text: "" or "~" or "null" or "Null" or "NULL" };
}
