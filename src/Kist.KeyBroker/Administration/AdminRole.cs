namespace Kist.KeyBroker.Administration;

/// <summary>What an administrator may do. Roles are combined; none includes another, except that the administrator has all.</summary>
[Flags]
enum AdminRole
{
    None = 0,

    /// <summary>Sets policies.</summary>
    PolicyAuthor = 1,

    /// <summary>Registers reference values.</summary>
    ReferenceAuthor = 2,

    /// <summary>Stores, deletes and restores secrets. Nobody reads them but attested workloads.</summary>
    SecretAuthor = 4,

    /// <summary>Reads the audit log, policies, reference values and the list of secrets.</summary>
    Auditor = 8,

    /// <summary>Makes and revokes other administrators' tokens.</summary>
    TokenAuthor = 16,

    /// <summary>Changes the master key.</summary>
    KeyKeeper = 32,

    /// <summary>Everything.</summary>
    Administrator = PolicyAuthor | ReferenceAuthor | SecretAuthor | Auditor | TokenAuthor | KeyKeeper,
}

/// <summary>The roles' names on the wire.</summary>
static class AdminRoles
{
    private static readonly (string Name, AdminRole Role)[] Names =
    [
        ("policy-author", AdminRole.PolicyAuthor),
        ("reference-author", AdminRole.ReferenceAuthor),
        ("secret-author", AdminRole.SecretAuthor),
        ("auditor", AdminRole.Auditor),
        ("token-author", AdminRole.TokenAuthor),
        ("key-keeper", AdminRole.KeyKeeper),
        ("administrator", AdminRole.Administrator),
    ];

    public static IEnumerable<string> All => Names.Select(n => n.Name);

    /// <summary>The roles of a list with commas or spaces, or null if a name is not known or there is none.</summary>
    public static AdminRole? Parse(string text)
    {
        var roles = AdminRole.None;
        foreach (var name in text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            var role = Names.FirstOrDefault(n => n.Name == name).Role;
            if (role == AdminRole.None)
                return null;
            roles |= role;
        }

        return roles == AdminRole.None ? null : roles;
    }

    public static string Format(AdminRole roles) => roles == AdminRole.Administrator
        ? "administrator"
        : string.Join(',', Names.Where(n => n.Role != AdminRole.Administrator && roles.HasFlag(n.Role)).Select(n => n.Name));
}
