using Kist.Formats;
using Tomlyn.Model;

namespace Kist.Oci;

/// <summary>
/// Where images are really fetched from: containers-registries.conf(5), version 2. A rule says of the images whose names begin
/// with its prefix that they are at another place, at mirrors, or nowhere. What an image must be (its digest, its signatures
/// and the name in them) is judged by the name it was asked for by, wherever it comes from.
/// </summary>
public sealed class RegistryRules
{
    private const int MaxBytes = 1024 * 1024;
    private const string Structure = "registries.conf";

    private readonly IReadOnlyList<RegistryRule> _rules;

    private RegistryRules(IReadOnlyList<RegistryRule> rules) => _rules = rules;

    /// <summary>No rules: every image is where its name says.</summary>
    public static RegistryRules None { get; } = new([]);

    /// <summary>Reads a file.</summary>
    /// <exception cref="MalformedDataException">It is no TOML, of version 1, or contradicts itself.</exception>
    public static RegistryRules Parse(ReadOnlySpan<byte> toml)
    {
        if (toml.Length > MaxBytes)
            throw Malformed($"{toml.Length} bytes, more than the limit of {MaxBytes}");
        var root = TomlDocument.Parse(toml, Structure);
        if (root.ContainsKey("registries"))
            throw Malformed("[registries.…] is its version 1, which is not read");
        var rules = TomlDocument.Tables(root, "registry", Structure).Select(ReadRule).ToList();
        if (rules.GroupBy(r => r.Prefix, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw Malformed($"there are two rules for '{twice.Key}'");
        return new RegistryRules(rules);
    }

    /// <summary>
    /// The first that exists of $CONTAINERS_REGISTRIES_CONF, ~/.config/containers/registries.conf and
    /// /etc/containers/registries.conf.
    /// </summary>
    public static RegistryRules FromDefaultFiles()
    {
        var home = Environment.GetEnvironmentVariable("HOME") ?? "/";
        string?[] paths =
            [Environment.GetEnvironmentVariable("CONTAINERS_REGISTRIES_CONF"), Path.Combine(home, ".config/containers/registries.conf"), "/etc/containers/registries.conf"];
        return paths.FirstOrDefault(File.Exists) is { } path ? Parse(File.ReadAllBytes(path)) : None;
    }

    /// <summary>The places to try for an image, in order; the last is its own.</summary>
    /// <exception cref="OperationFailedException">A rule blocks it.</exception>
    public IReadOnlyList<RegistryPlace> PlacesFor(ImageReference image)
    {
        var (rule, matched) = Find(image);
        if (rule is null)
            return [new RegistryPlace(image.Registry, image.Repository, IsInsecure: false)];
        if (rule.IsBlocked)
            throw new OperationFailedException("choose registry", image.Name, "registries.conf blocks it", $"see the rule for '{rule.Prefix}'");
        var rest = image.Name[matched..];
        var places = new List<RegistryPlace>();
        foreach (var mirror in rule.Mirrors.Where(m => m.Serves(image)))
            places.Add(RegistryPlace.Of(mirror.Location + rest, mirror.IsInsecure));
        places.Add(RegistryPlace.Of((rule.Location ?? image.Name[..matched]) + rest, rule.IsInsecure));
        return places;
    }

    private (RegistryRule? Rule, int Matched) Find(ImageReference image)
    {
        RegistryRule? best = null;
        var length = 0;
        foreach (var rule in _rules)
        {
            if (rule.Matches(image) is { } matched && (best is null || rule.Prefix.Length > best.Prefix.Length))
                (best, length) = (rule, matched);
        }

        return (best, length);
    }

    private static RegistryRule ReadRule(TomlTable table)
    {
        var location = TomlDocument.Text(table, "location", Structure);
        var prefix = TomlDocument.Text(table, "prefix", Structure) ?? location ?? throw Malformed("a rule has neither prefix nor location");
        if (prefix.Length == 0 || prefix.EndsWith('/') || (prefix.StartsWith('*') && !prefix.StartsWith("*.", StringComparison.Ordinal)) || prefix.LastIndexOf('*') > 0)
            throw Malformed($"'{prefix}' is no prefix");
        var byDigestOnly = TomlDocument.Flag(table, "mirror-by-digest-only", Structure);
        return new RegistryRule
        {
            Prefix = prefix,
            Location = location is { Length: > 0 } ? RequireLocation(location) : null,
            IsBlocked = TomlDocument.Flag(table, "blocked", Structure),
            IsInsecure = TomlDocument.Flag(table, "insecure", Structure),
            Mirrors = [.. TomlDocument.Tables(table, "mirror", Structure).Select(m => ReadMirror(m, byDigestOnly))],
        };
    }

    private static RegistryMirror ReadMirror(TomlTable table, bool byDigestOnly)
    {
        var when = TomlDocument.Text(table, "pull-from-mirror", Structure) ?? (byDigestOnly ? "digest-only" : "all");
        if (byDigestOnly && when != "digest-only")
            throw Malformed("a mirror's pull-from-mirror contradicts mirror-by-digest-only");
        return new RegistryMirror
        {
            Location = RequireLocation(TomlDocument.Text(table, "location", Structure) ?? ""),
            IsInsecure = TomlDocument.Flag(table, "insecure", Structure),
            ByDigest = when is "all" or "digest-only" ? true : when == "tag-only" ? false : throw Malformed($"pull-from-mirror '{when}' is not known"),
            ByTag = when is "all" or "tag-only",
        };
    }

    private static string RequireLocation(string location) => location.Length > 0 && !location.EndsWith('/') && !location.Contains("://", StringComparison.Ordinal)
        ? location
        : throw Malformed($"'{location}' is no location: host[:port][/path]");

    private static MalformedDataException Malformed(string reason) => new(Structure, -1, reason);
}
