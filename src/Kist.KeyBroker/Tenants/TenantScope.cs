namespace Kist.KeyBroker.Tenants;

/// <summary>
/// Whose objects a store sees. Tenants share the tables: the names of a tenant's objects begin with the tenant's name and a
/// space there, which no name of an object may hold, so that no object of one is ever one of another.
/// </summary>
/// <param name="Name">The tenant's name; "" for the one that needs none, whose paths are Trustee's.</param>
readonly record struct TenantScope(string Name)
{
    /// <summary>Longest name.</summary>
    public const int MaxNameLength = 63;

    /// <summary>The tenant that needs no name.</summary>
    public static TenantScope Default => new("");

    public bool IsDefault => Name.Length == 0;

    /// <summary>For <see cref="Condition"/>: what the names of this tenant's objects look like, or those of no tenant do not.</summary>
    public (string Name, object? Value) Pattern => ("@tenant_pattern", IsDefault ? "% %" : $"{Name} %");

    /// <summary>True for 1 to 63 of a–z, 0–9 and -, the first and last no -.</summary>
    public static bool IsName(string? text) =>
        text is { Length: > 0 and <= MaxNameLength } && text[0] != '-' && text[^1] != '-' && text.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');

    /// <summary>
    /// An object's name as stored. A name with a space, which no object has, becomes one that no tenant's has either: nobody
    /// reaches a tenant's objects by writing their stored names.
    /// </summary>
    public string Qualify(string name) => IsDefault && !name.Contains(' ') ? name : $"{Name} {name}";

    /// <summary>An object's name from what is stored.</summary>
    public string Strip(string stored) => IsDefault ? stored : stored[(Name.Length + 1)..];

    /// <summary>The SQL condition that a column holds a name of this tenant; <see cref="Pattern"/> goes with it.</summary>
    public string Condition(string column) => $"{column} {(IsDefault ? "NOT LIKE" : "LIKE")} @tenant_pattern";
}
