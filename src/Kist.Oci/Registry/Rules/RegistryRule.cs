using Kist.Formats;

namespace Kist.Oci;

/// <summary>One [[registry]] of registries.conf.</summary>
sealed record RegistryRule
{
    /// <summary>"host[:port][/path][:tag|@digest]", or "*.domain".</summary>
    public required string Prefix { get; init; }

    /// <summary>What takes the prefix's place; null for the prefix itself.</summary>
    public string? Location { get; init; }

    public bool IsBlocked { get; init; }

    public bool IsInsecure { get; init; }

    public IReadOnlyList<RegistryMirror> Mirrors { get; init; } = [];

    /// <summary>How much of the image's name is replaced; null if the rule is not about it.</summary>
    public int? Matches(ImageReference image)
    {
        if (Prefix.StartsWith("*.", StringComparison.Ordinal))
        {
            var host = image.Registry.Split(':')[0];
            return host.EndsWith(Prefix[1..], StringComparison.Ordinal) && host.Length >= Prefix.Length ? image.Registry.Length : null;
        }

        if (image.ToString() == Prefix || (image.Tag is { } tag && $"{image.Name}:{tag}" == Prefix))
            return image.Name.Length;
        return image.Name.StartsWith(Prefix, StringComparison.Ordinal) && (image.Name.Length == Prefix.Length || image.Name[Prefix.Length] == '/')
            ? Prefix.Length
            : null;
    }
}

/// <summary>One [[registry.mirror]].</summary>
sealed record RegistryMirror
{
    public required string Location { get; init; }

    public bool IsInsecure { get; init; }

    public bool ByDigest { get; init; }

    public bool ByTag { get; init; }

    public bool Serves(ImageReference image) => image.Digest is null ? ByTag : ByDigest;
}

/// <summary>A repository as it is reached.</summary>
/// <param name="Registry">Host and optional port.</param>
/// <param name="Repository">The path.</param>
/// <param name="IsInsecure">True if plain http may be spoken there.</param>
public sealed record RegistryPlace(string Registry, string Repository, bool IsInsecure)
{
    /// <summary>host[:port]/path.</summary>
    public string Name => $"{Registry}/{Repository}";

    internal static RegistryPlace Of(string name, bool isInsecure)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var (registry, repository) = slash < 0 ? (name, "") : (name[..slash], name[(slash + 1)..]);
        return ReferenceGrammar.IsRegistry(registry) && ReferenceGrammar.IsRepository(repository)
            ? new RegistryPlace(registry, repository, isInsecure)
            : throw new MalformedDataException("registries.conf", -1, $"it makes '{name}' of an image's name, which is none");
    }
}
