namespace Kist.Kubernetes;

/// <summary>A node of a manifest, with the line on which it begins, counted from 1.</summary>
public abstract record ManifestNode(int Line);

/// <summary>A scalar.</summary>
/// <param name="Text">Its text.</param>
/// <param name="IsQuoted">True if quotes or a block make it a string whatever it looks like.</param>
/// <param name="Line">Where it is.</param>
public sealed record ScalarNode(string Text, bool IsQuoted, int Line) : ManifestNode(Line);

/// <summary>A sequence.</summary>
public sealed record ListNode(IReadOnlyList<ManifestNode> Items, int Line) : ManifestNode(Line);

/// <summary>A mapping, in the order in which it was written; each name once.</summary>
public sealed record MapNode(IReadOnlyList<KeyValuePair<string, ManifestNode>> Entries, int Line) : ManifestNode(Line)
{
    /// <summary>The node of that name, or null.</summary>
    public ManifestNode? Find(string name) => Entries.FirstOrDefault(e => e.Key == name).Value;

    /// <summary>The mapping with an entry replaced, or added at its end.</summary>
    public MapNode With(string name, ManifestNode value) => Find(name) is null
        ? this with { Entries = [.. Entries, KeyValuePair.Create(name, value)] }
        : this with { Entries = [.. Entries.Select(e => e.Key == name ? KeyValuePair.Create(name, value) : e)] };
}
