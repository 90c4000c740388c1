using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// Where an image is, as written on the command line: "oci:DIRECTORY[:TAG]", "docker-archive:FILE[:NAME]",
/// "docker://REFERENCE", or a reference alone.
/// </summary>
public static class ImageLocation
{
    /// <summary>Opens an image for reading; dispose the result if it is disposable.</summary>
    /// <exception cref="MalformedDataException">The location is not understood.</exception>
    public static IImageSource OpenSource(string text, RegistryOptions options)
    {
        if (After(text, "oci:") is { } layout)
            return Layout(layout);
        if (After(text, "docker-archive:") is { } archive)
            return Archive(archive);
        return new RegistryRepository(ImageReference.Parse(After(text, "docker://") ?? text), options);
    }

    /// <summary>Opens a place for writing; dispose the result if it is disposable.</summary>
    /// <exception cref="MalformedDataException">The location is not understood or cannot be written to.</exception>
    public static IImageDestination OpenDestination(string text, RegistryOptions options)
    {
        if (After(text, "oci:") is { } layout)
            return Layout(layout);
        if (After(text, "docker-archive:") is { } archive)
            return ArchiveWriter(archive);
        return new RegistryRepository(ImageReference.Parse(After(text, "docker://") ?? text), options);
    }

    /// <summary>True if the text names a registry rather than a local file or directory.</summary>
    public static bool IsRegistry(string text) => After(text, "oci:") is null && After(text, "docker-archive:") is null;

    private static OciLayout Layout(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || colon < text.LastIndexOf('/'))
            return new OciLayout(NotEmpty(text), null);
        var tag = text[(colon + 1)..];
        return ReferenceGrammar.IsTag(tag)
            ? new OciLayout(NotEmpty(text[..colon]), tag)
            : throw new MalformedDataException("image location", -1, $"'{tag}' is no tag");
    }

    private static DockerArchive Archive(string text)
    {
        var (path, name) = SplitArchive(text);
        return new DockerArchive(path, name);
    }

    private static DockerArchiveWriter ArchiveWriter(string text)
    {
        var (path, name) = SplitArchive(text);
        return new DockerArchiveWriter(path, name);
    }

    // The name has colons and slashes of its own; a file name with a colon in it cannot be given.
    private static (string Path, string? Name) SplitArchive(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (NotEmpty(text), null) : (NotEmpty(text[..colon]), text[(colon + 1)..]);
    }

    private static string NotEmpty(string path) =>
        path.Length > 0 ? path : throw new MalformedDataException("image location", -1, "the path is missing");

    private static string? After(string text, string prefix) =>
        text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : null;
}
