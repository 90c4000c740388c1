namespace Kist.Rego.Builtins;

/// <summary>is_*, type_name, and the deprecated casts.</summary>
static class TypeBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("type_name", 1, (_, a) => new RegoString(a[0].Type.Name()));
        foreach (var type in Enum.GetValues<RegoType>())
        {
            table.Add($"is_{type.Name()}", 1, (_, a) => a[0].Type == type ? RegoValue.True : RegoValue.False);
        }

        Cast(table, "cast_array", RegoType.Array);
        Cast(table, "cast_boolean", RegoType.Boolean);
        Cast(table, "cast_null", RegoType.Null);
        Cast(table, "cast_object", RegoType.Object);
        Cast(table, "cast_set", RegoType.Set);
        Cast(table, "cast_string", RegoType.String);
    }

    private static void Cast(Registry table, string name, RegoType type) => table.Add(name, 1, (c, a) => (type, a[0]) switch
    {
        (RegoType.Array, RegoSet set) => RegoArray.Of(set.Items.ToArray()),
        (RegoType.Set, RegoArray array) => RegoValue.SetOf(array.Items),
        var (_, value) => value.Type == type ? value : c.FailType(0, type.Name(), value),
    });
}
