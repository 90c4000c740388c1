namespace Kist.Rego.Builtins;

/// <summary>Sets of paths: <c>"a/b"</c> (JSON pointers, with or without the first slash) or arrays of keys.</summary>
static class JsonPaths
{
    public static List<RegoValue[]>? Read(BuiltinContext c, ReadOnlySpan<RegoValue> a, int i)
    {
        if (a[i] is not (RegoArray or RegoSet))
        {
            c.FailType(i, "{set, array}", a[i]);
            return null;
        }

        var paths = new List<RegoValue[]>();
        foreach (var (_, item) in Evaluation.Items.Of(a[i]))
        {
            if (One(item) is not { } path)
            {
                c.FailOperand(i, $"must be one of {{set, array}} containing string paths or array of path segments but got {item.Type.Name()}");
                return null;
            }

            paths.Add(path);
        }

        return paths;
    }

    /// <summary>The keys of one path; null if the value is not a path.</summary>
    public static RegoValue[]? One(RegoValue value) => value switch
    {
        RegoString { Value: "" } => [],
        RegoString s => s.Value.TrimStart('/').Split('/').Select(k => (RegoValue)new RegoString(Unescape(k))).ToArray(),
        RegoArray array => array.Items.ToArray(),
        _ => null,
    };

    /// <summary>Only what is at or below the paths.</summary>
    public static RegoValue? Filter(RegoValue value, List<RegoValue[]> paths, int depth)
    {
        if (paths.Exists(p => p.Length == depth))
            return value;
        switch (value)
        {
            case RegoObject o:
                var entries = new RegoObjectBuilder();
                foreach (var group in paths.GroupBy(p => p[depth]))
                {
                    if (o.Get(group.Key) is { } item && Filter(item, [.. group], depth + 1) is { } kept)
                        entries[group.Key] = kept;
                }

                return entries.ToObject();
            case RegoArray array:
                var items = new List<RegoValue>();
                for (var i = 0; i < array.Count; i++)
                {
                    var matching = paths.FindAll(p => IsIndex(p[depth], i));
                    if (matching.Count > 0 && Filter(array[i], matching, depth + 1) is { } kept)
                        items.Add(kept);
                }

                return RegoArray.From(items);
            case RegoSet set:
                var elements = new RegoSetBuilder();
                foreach (var group in paths.GroupBy(p => p[depth]))
                {
                    if (set.Contains(group.Key) && Filter(group.Key, [.. group], depth + 1) is { } kept)
                        elements.Add(kept);
                }

                return elements.ToSet();
            default:
                return null;
        }
    }

    /// <summary>All but what is at or below the paths.</summary>
    public static RegoValue Remove(RegoValue value, List<RegoValue[]> paths, int depth)
    {
        switch (value)
        {
            case RegoObject o:
                var entries = new RegoObjectBuilder();
                for (var i = 0; i < o.Count; i++)
                {
                    var key = o.Keys[i];
                    var matching = paths.FindAll(p => p.Length > depth && p[depth].Equals(key));
                    if (!matching.Exists(p => p.Length == depth + 1))
                        entries[key] = matching.Count == 0 ? o.Values[i] : Remove(o.Values[i], matching, depth + 1);
                }

                return entries.ToObject();
            case RegoArray array:
                var items = new List<RegoValue>();
                for (var i = 0; i < array.Count; i++)
                {
                    var matching = paths.FindAll(p => p.Length > depth && IsIndex(p[depth], i));
                    if (!matching.Exists(p => p.Length == depth + 1))
                        items.Add(matching.Count == 0 ? array[i] : Remove(array[i], matching, depth + 1));
                }

                return RegoArray.From(items);
            case RegoSet set:
                var elements = new RegoSetBuilder();
                foreach (var item in set.Items)
                {
                    var matching = paths.FindAll(p => p.Length > depth && p[depth].Equals(item));
                    if (!matching.Exists(p => p.Length == depth + 1))
                        elements.Add(matching.Count == 0 ? item : Remove(item, matching, depth + 1));
                }

                return elements.ToSet();
            default:
                return value;
        }
    }

    /// <summary>Indexes are strings in paths, also where the path is an array of keys.</summary>
    private static bool IsIndex(RegoValue key, int i) => key is RegoString s && s.Value == i.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Unescape(string key) => key.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
}
