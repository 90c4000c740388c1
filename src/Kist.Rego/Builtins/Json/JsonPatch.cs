using System.Globalization;

namespace Kist.Rego.Builtins;

/// <summary>RFC 6902 patches, which work on sets, too: there a key is the element. A patch that fails is undefined, never an error.</summary>
static class JsonPatch
{
    public static RegoValue? Apply(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Array(a, 1, out var operations))
            return null;
        RegoValue? document = a[0];
        foreach (var item in operations.Items)
        {
            c.Evaluation.Tick();
            if (item is not RegoObject operation)
                return null;
            if (operation["op"] is not RegoString op || operation["path"] is not { } path || JsonPaths.One(path) is not { } keys)
                return null;
            document = One(document, op.Value, keys, operation);
            if (document is null)
                return null;
        }

        return document;
    }

    private static RegoValue? One(RegoValue document, string op, RegoValue[] path, RegoObject operation)
    {
        switch (op)
        {
            case "add":
                return operation["value"] is { } added ? Add(document, path, 0, added) : null;
            case "remove":
                return Remove(document, path, 0);
            case "replace":
                if (operation["value"] is not { } replacement)
                    return null;
                return Replace(document, path, 0, replacement);
            case "test":
                if (operation["value"] is not { } expected)
                    return null;
                return Find(document, path) is { } actual && actual.Equals(expected) ? document : null;
            case "move" or "copy":
                if (operation["from"] is not { } fromPath || JsonPaths.One(fromPath) is not { } from)
                    return null;
                if (Find(document, from) is not { } moved)
                    return null;
                var rest = op == "move" ? Remove(document, from, 0) : document;
                return rest is null && from.Length > 0 ? null : Add(rest ?? moved, path, 0, moved);
            default:
                return null;
        }
    }

    private static RegoValue? Find(RegoValue document, RegoValue[] path)
    {
        RegoValue? value = document;
        foreach (var key in path)
            value = value is null ? null : Child(value, key);
        return value;
    }

    private static RegoValue? Child(RegoValue value, RegoValue key) => value switch
    {
        RegoArray array => Index(key, array.Count - 1) is { } i ? array[i] : null,
        _ => Evaluation.Documents.Get(value, key),
    };

    private static RegoValue? Add(RegoValue document, RegoValue[] path, int depth, RegoValue value)
    {
        if (depth == path.Length)
            return value;
        var key = path[depth];
        if (depth + 1 < path.Length)
            return Inside(document, key, child => Add(child, path, depth + 1, value));
        switch (document)
        {
            case RegoObject o:
                return new RegoObjectBuilder(o) { [key] = value }.ToObject();
            case RegoArray array:
                var i = key is RegoString { Value: "-" } ? array.Count : Index(key, array.Count);
                return i is null ? null : RegoArray.Of([.. array.Items[..i.Value], value, .. array.Items[i.Value..]]);
            case RegoSet set:
                return key.Equals(value) ? Sets.Union(set, (RegoSet)RegoValue.SetOf(value)) : null;
            default:
                return null;
        }
    }

    private static RegoValue? Remove(RegoValue document, RegoValue[] path, int depth)
    {
        if (path.Length == 0)
            return null;
        var key = path[depth];
        if (depth + 1 < path.Length)
            return Inside(document, key, child => Remove(child, path, depth + 1));
        if (Child(document, key) is null)
            return null;
        switch (document)
        {
            case RegoObject o:
                var entries = new RegoObjectBuilder(o);
                entries.Remove(key);
                return entries.ToObject();
            case RegoArray array:
                var i = Index(key, array.Count - 1)!.Value;
                return RegoArray.Of([.. array.Items[..i], .. array.Items[(i + 1)..]]);
            default:
                return Sets.Difference((RegoSet)document, (RegoSet)RegoValue.SetOf(key));
        }
    }

    private static RegoValue? Replace(RegoValue document, RegoValue[] path, int depth, RegoValue value)
    {
        if (depth == path.Length)
            return value;
        return Child(document, path[depth]) is null ? null : Inside(document, path[depth], child => Replace(child, path, depth + 1, value));
    }

    /// <summary>The document with one child changed; null if there is no such child or the change fails.</summary>
    private static RegoValue? Inside(RegoValue document, RegoValue key, Func<RegoValue, RegoValue?> change)
    {
        if (Child(document, key) is not { } child || change(child) is not { } changed)
            return null;
        switch (document)
        {
            case RegoObject o:
                return new RegoObjectBuilder(o) { [key] = changed }.ToObject();
            case RegoArray array:
                var items = array.Items.ToArray();
                items[Index(key, array.Count - 1)!.Value] = changed;
                return RegoArray.Of(items);
            default:
                return Sets.Union(Sets.Difference((RegoSet)document, (RegoSet)RegoValue.SetOf(key)), (RegoSet)RegoValue.SetOf(changed));
        }
    }

    /// <summary>An array index without leading zeros, not above <paramref name="highest"/>.</summary>
    private static int? Index(RegoValue key, int highest)
    {
        var index = key switch
        {
            RegoNumber n when n.TryGetInt64(out var i) => i,
            RegoString { Value: var s } when (s == "0" || !s.StartsWith('0')) && int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var i) => i,
            _ => -1,
        };
        return index >= 0 && index <= highest ? (int)index : null;
    }
}
