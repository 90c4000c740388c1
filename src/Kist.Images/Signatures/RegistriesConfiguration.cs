using Kist.Formats;
using Kist.Oci;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Kist.Images.Signatures;

/// <summary>
/// The lookaside stores of registries.d (containers-registries.d(5)): YAML files with "default-docker" and "docker", in it
/// by scope "lookaside" (formerly "sigstore"). Scopes are as in policies, without wildcards. For the host only.
/// </summary>
public sealed class RegistriesConfiguration
{
    private const int MaxBytes = 1024 * 1024;
    private const string Structure = "registries.d";

    private readonly Dictionary<string, Uri> _stores = new(StringComparer.Ordinal);
    private Uri? _default;

    /// <summary>Reads all *.yaml files of a directory, in order of their names.</summary>
    public static RegistriesConfiguration FromDirectory(string directory)
    {
        var configuration = new RegistriesConfiguration();
        if (Directory.Exists(directory))
        {
            foreach (var path in Directory.EnumerateFiles(directory, "*.yaml").Order(StringComparer.Ordinal))
                configuration.Add(File.ReadAllText(path));
        }

        return configuration;
    }

    /// <summary>Adds one file. A scope, or the default, that is there already is refused.</summary>
    public void Add(string yaml)
    {
        if (yaml.Length > MaxBytes)
            throw Malformed("the file is too large");
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException e)
        {
            throw new MalformedDataException(Structure, -1, e.Message, e);
        }

        if (stream.Documents.Count == 0 || stream.Documents[0].RootNode is not YamlMappingNode root)
            return;
        if (Find(root, "default-docker") is YamlMappingNode defaults && StoreOf(defaults) is { } store)
            _default = _default is null ? store : throw Malformed("default-docker is set twice");
        if (Find(root, "docker") is not YamlMappingNode scopes)
            return;
        foreach (var (name, value) in scopes.Children)
        {
            if (value is YamlMappingNode scope && StoreOf(scope) is { } uri && !_stores.TryAdd(TextOf(name) ?? "", uri))
                throw Malformed($"the scope '{name}' is set twice");
        }
    }

    /// <summary>The store for an image: of the most specific scope; null if there is none.</summary>
    public Uri? LookasideFor(ImageReference image)
    {
        foreach (var scope in Scopes(image))
        {
            if (_stores.TryGetValue(scope, out var store))
                return store;
        }

        return _default;
    }

    private static IEnumerable<string> Scopes(ImageReference image)
    {
        yield return image.Digest is { } digest ? $"{image.Name}@{digest}" : $"{image.Name}:{image.Tag}";
        for (var path = image.Name; path.Length > 0; path = path[..Math.Max(0, path.LastIndexOf('/'))])
            yield return path;
    }

    private static Uri? StoreOf(YamlMappingNode scope)
    {
        var text = TextOf(Find(scope, "lookaside")) ?? TextOf(Find(scope, "sigstore"));
        if (text is null)
            return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "file" or "http" or "https"
            ? uri
            : throw Malformed($"'{text}' is no place of signatures");
    }

    private static YamlNode? Find(YamlMappingNode node, string name) => node.Children.TryGetValue(new YamlScalarNode(name), out var found) ? found : null;

    private static string? TextOf(YamlNode? node) => (node as YamlScalarNode)?.Value;

    private static MalformedDataException Malformed(string reason) => new(Structure, -1, reason);
}
