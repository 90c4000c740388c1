using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Signatures;

/// <summary>How the name in a signature must relate to the name that the image was asked for by (signedIdentity).</summary>
public abstract record SignedIdentity
{
    /// <summary>The same repository and tag or digest; an image asked for by digest matches any tag. The default.</summary>
    public static SignedIdentity MatchRepoDigestOrExact { get; } = new RepoDigestOrExact();

    /// <summary>The same name, tag included.</summary>
    public static SignedIdentity MatchExact { get; } = new Exact();

    /// <summary>The same repository.</summary>
    public static SignedIdentity MatchRepository { get; } = new Repository();

    /// <summary>Any name, and none: the manifest's digest alone counts. Policy files say "matchDigest", which is our own.</summary>
    public static SignedIdentity AnyName { get; } = new Any();

    /// <summary>Exactly this reference.</summary>
    public static SignedIdentity ExactReference(string reference) => new FixedReference(ImageReference.Parse(reference));

    /// <summary>Any tag of exactly this repository.</summary>
    public static SignedIdentity ExactRepository(string repository) => new FixedRepository(ImageReference.Parse(repository).Name);

    /// <summary>The image's name with one beginning replaced by another, then as the default.</summary>
    public static SignedIdentity Remap(string prefix, string signedPrefix) => new Remapped(prefix, signedPrefix);

    /// <summary>True if a signature for <paramref name="signedName"/> counts for the image.</summary>
    /// <param name="image">The name that the image was asked for by.</param>
    /// <param name="signedName">The name in the signature, as written.</param>
    public bool Matches(ImageReference image, string signedName)
    {
        ImageReference parsed;
        try
        {
            parsed = ImageReference.Parse(signedName);
        }
        catch (MalformedDataException)
        {
            return false;
        }

        // "host/name" means no tag here, not :latest.
        var hasName = signedName.Contains('@', StringComparison.Ordinal) || signedName.LastIndexOf(':') > signedName.LastIndexOf('/');
        return Matches(image, parsed, hasName);
    }

    /// <summary>True if a signature that names no repository counts.</summary>
    internal virtual bool AcceptsUnnamed => false;

    private protected abstract bool Matches(ImageReference image, ImageReference signedName, bool signedHasTagOrDigest);

    private static bool SameExactly(ImageReference image, ImageReference signedName, bool hasTagOrDigest) =>
        hasTagOrDigest && image.Name == signedName.Name && image.Tag == signedName.Tag && image.Digest == signedName.Digest;

    private sealed record RepoDigestOrExact : SignedIdentity
    {
        private protected override bool Matches(ImageReference image, ImageReference signedName, bool signedHasTagOrDigest) => image.Digest is not null
            ? image.Name == signedName.Name
            : SameExactly(image, signedName, signedHasTagOrDigest);
    }

    private sealed record Exact : SignedIdentity
    {
        private protected override bool Matches(ImageReference image, ImageReference signedName, bool signedHasTagOrDigest) =>
            SameExactly(image, signedName, signedHasTagOrDigest);
    }

    private sealed record Any : SignedIdentity
    {
        internal override bool AcceptsUnnamed => true;

        private protected override bool Matches(ImageReference image, ImageReference signedName, bool signedHasTagOrDigest) => true;
    }

    private sealed record Repository : SignedIdentity
    {
        private protected override bool Matches(ImageReference image, ImageReference signedName, bool signedHasTagOrDigest) => image.Name == signedName.Name;
    }

    private sealed record FixedReference(ImageReference Reference) : SignedIdentity
    {
        private protected override bool Matches(ImageReference image, ImageReference signedName, bool signedHasTagOrDigest) =>
            SameExactly(Reference, signedName, signedHasTagOrDigest);
    }

    private sealed record FixedRepository(string Name) : SignedIdentity
    {
        private protected override bool Matches(ImageReference image, ImageReference signedName, bool signedHasTagOrDigest) => Name == signedName.Name;
    }

    private sealed record Remapped(string Prefix, string SignedPrefix) : SignedIdentity
    {
        private protected override bool Matches(ImageReference image, ImageReference signedName, bool signedHasTagOrDigest)
        {
            var name = image.Name;
            if (name != Prefix && !name.StartsWith(Prefix + "/", StringComparison.Ordinal) && !name.StartsWith(Prefix + ":", StringComparison.Ordinal))
                return MatchRepoDigestOrExact.Matches(image, signedName, signedHasTagOrDigest);
            return ImageReference.TryParse(SignedPrefix + image.ToString()[Prefix.Length..], out var mapped)
                && MatchRepoDigestOrExact.Matches(mapped, signedName, signedHasTagOrDigest);
        }
    }
}
