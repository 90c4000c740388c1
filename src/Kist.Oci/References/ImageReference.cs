using System.Diagnostics.CodeAnalysis;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// The name of an image in a registry: host[:port]/repository[:tag][@digest]. Short names mean what docker users expect:
/// "busybox" is docker.io/library/busybox:latest.
/// </summary>
/// <param name="Registry">Host and optional port, as written: "docker.io", "localhost:5000", "[::1]:5000".</param>
/// <param name="Repository">Path of the repository: "library/busybox".</param>
/// <param name="Tag">The tag, or null if only a digest was given.</param>
/// <param name="Digest">The manifest's digest, or null if only a tag was given. If both are given the digest decides.</param>
public sealed record ImageReference(string Registry, string Repository, string? Tag, Digest? Digest)
{
    private const string DefaultRegistry = "docker.io";

    /// <summary>Longest reference accepted: 255 characters of name (distribution specification), tag, digest.</summary>
    public const int MaxLength = 255 + 1 + ReferenceGrammar.MaxTagLength + 1 + 135;

    /// <summary>What is asked of a registry: the digest if there is one, else the tag.</summary>
    public string TagOrDigest => Digest is { } digest ? digest.ToString() : Tag ?? "latest";

    /// <summary>Host and repository without tag and digest.</summary>
    public string Name => $"{Registry}/{Repository}";

    /// <summary>Reads a reference.</summary>
    /// <exception cref="MalformedDataException">It does not follow the grammar.</exception>
    public static ImageReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > MaxLength)
            throw Malformed(text, $"longer than {MaxLength} characters");
        var (rest, digest) = SplitDigest(text);
        var (name, tag) = SplitTag(rest, text);
        var (registry, repository) = SplitRegistry(name);
        if (!ReferenceGrammar.IsRegistry(registry))
            throw Malformed(text, $"'{registry}' is no host name with an optional port");
        if (!ReferenceGrammar.IsRepository(repository))
            throw Malformed(text, $"'{repository}' is no repository path (lower-case words, separated by . _ __ - or /)");
        if (registry == DefaultRegistry && !repository.Contains('/', StringComparison.Ordinal))
            repository = "library/" + repository;
        return new ImageReference(registry, repository, tag ?? (digest is null ? "latest" : null), digest);
    }

    /// <summary>Reads a reference; false if it does not follow the grammar.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ImageReference? reference)
    {
        try
        {
            reference = text is null ? null : Parse(text);
        }
        catch (MalformedDataException)
        {
            reference = null;
        }

        return reference is not null;
    }

    /// <summary>The same image by its manifest's digest.</summary>
    public ImageReference WithDigest(Digest digest) => this with { Digest = digest };

    /// <summary>The whole reference, which <see cref="Parse"/> reads back.</summary>
    public override string ToString() => Name + (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    private static (string Before, Digest? Digest) SplitDigest(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return at < 0 ? (text, null) : (text[..at], Oci.Digest.Parse(text[(at + 1)..]));
    }

    private static (string Name, string? Tag) SplitTag(string text, string whole)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || colon < text.LastIndexOf('/'))
            return (text, null);
        var tag = text[(colon + 1)..];
        return ReferenceGrammar.IsTag(tag) ? (text[..colon], tag) : throw Malformed(whole, $"'{tag}' is no tag");
    }

    // The first part is a registry only if it cannot be a repository's first word: it has a dot or a port, is "localhost",
    // or an upper-case letter (distribution/reference, splitDockerDomain).
    private static (string Registry, string Repository) SplitRegistry(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            return (DefaultRegistry, name);
        var first = name[..slash];
        var isRegistry = first.AsSpan().ContainsAny('.', ':') || first == "localhost" || first.Any(char.IsAsciiLetterUpper);
        if (!isRegistry)
            return (DefaultRegistry, name);
        return (first is "index.docker.io" ? DefaultRegistry : first, name[(slash + 1)..]);
    }

    private static MalformedDataException Malformed(string text, string reason) =>
        new("image reference", -1, $"'{(text.Length <= 100 ? text : text[..100] + "…")}': {reason}");
}
