using System.Collections.Frozen;

namespace Kist.Rego.Builtins;

/// <summary>All built-in functions, by name. http.send and net.lookup_ip_addr always fail: no policy uses the network.</summary>
static class BuiltinTable
{
    private static readonly FrozenDictionary<string, Builtin> All = Create();

    private static readonly FrozenSet<string> Deprecated = FrozenSet.ToFrozenSet(
        ["all", "any", "cast_array", "cast_boolean", "cast_null", "cast_object", "cast_set", "cast_string", "net.cidr_overlap", "re_match", "set_diff"]);

    public static bool IsDeprecated(string name) => Deprecated.Contains(name);

    public static IEnumerable<string> Names => All.Keys;

    public static Builtin? Find(string name) => All.GetValueOrDefault(name);

    private static FrozenDictionary<string, Builtin> Create()
    {
        var table = new Registry();
        OperatorBuiltins.Register(table);
        AggregateBuiltins.Register(table);
        CollectionBuiltins.Register(table);
        ObjectBuiltins.Register(table);
        StringBuiltins.Register(table);
        TypeBuiltins.Register(table);
        NumberBuiltins.Register(table);
        RegexBuiltins.Register(table);
        GlobBuiltins.Register(table);
        EncodingBuiltins.Register(table);
        JsonBuiltins.Register(table);
        TimeBuiltins.Register(table);
        HashBuiltins.Register(table);
        NetBuiltins.Register(table);
        SemverBuiltins.Register(table);
        UnitsBuiltins.Register(table);
        GraphBuiltins.Register(table);
        SchemaBuiltins.Register(table);
        X509Builtins.Register(table);
        JwtBuiltins.Register(table);
        TemplateBuiltins.Register(table);
        AwsSigning.Register(table);
        MiscellaneousBuiltins.Register(table);
        if (RegoFeatures.Yaml)
            YamlBuiltins.Register(table);
        if (RegoFeatures.GraphQl)
            GraphQl.GraphQlBuiltins.Register(table);
        return table.Freeze();
    }
}

/// <summary>Collects built-in functions.</summary>
sealed class Registry
{
    private readonly Dictionary<string, Builtin> _builtins = new(StringComparer.Ordinal);

    public void Add(string name, int arity, BuiltinBody body) => _builtins.Add(name, new Builtin(name, arity, body));

    public void AddRelation(string name, int arity, BuiltinBody body) => _builtins.Add(name, new Builtin(name, arity, body) { IsRelation = true });

    public FrozenDictionary<string, Builtin> Freeze() => _builtins.ToFrozenDictionary(StringComparer.Ordinal);
}
