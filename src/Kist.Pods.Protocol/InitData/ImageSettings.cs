using System.Text;
using Kist.Formats;
using Tomlyn;
using Tomlyn.Model;

namespace Kist.Pods.Protocol;

/// <summary>
/// How a guest's owner lets images be pulled: cdh.toml's [image], with the names of Confidential Containers' data hub. A
/// setting that is not known is refused, for it could be a misspelt restriction.
/// </summary>
public sealed record ImageSettings
{
    private const string Hub = "cdh.toml";

    /// <summary>What the data hub knows and has no meaning here: a guest's work directory and its parallel downloads.</summary>
    private static readonly string[] s_ignored = ["work_dir", "max_concurrent_layer_downloads_per_image"];

    /// <summary>
    /// The signature policy, a policy.json (image_security_policy_uri, or image_security_policy with its text). Null asks for
    /// no signatures.
    /// </summary>
    public ImageSetting? SecurityPolicy { get; init; }

    /// <summary>Where simple signatures are kept, a registries.d file (sigstore_config_uri, sigstore_config).</summary>
    public ImageSetting? SigstoreConfiguration { get; init; }

    /// <summary>Mirrors and blocked registries, a registries.conf (registry_configuration_uri, [image.registry_config]).</summary>
    public ImageSetting? RegistryConfiguration { get; init; }

    /// <summary>Names and passwords for registries, an auth.json (authenticated_registry_credentials_uri).</summary>
    public ImageSetting? Credentials { get; init; }

    /// <summary>
    /// The authorities that may vouch for a registry's certificate, in PEM (extra_root_certificates); a guest knows no others.
    /// </summary>
    public IReadOnlyList<string> AuthoritiesPem { get; init; } = [];

    /// <summary>
    /// Other hosts that a registry may send its guest to, for tokens or for blobs (kist.toml registry_hosts): "cdn.example.com" or
    /// "*.example.com". The helpers of well-known public registries need not be named.
    /// </summary>
    public IReadOnlyList<string> TrustedHosts { get; init; } = [];

    /// <summary>The proxy for https ([image.image_pull_proxy] https_proxy), or null.</summary>
    public string? HttpsProxy { get; init; }

    /// <summary>The proxy for http (http_proxy), or null.</summary>
    public string? HttpProxy { get; init; }

    /// <summary>Whom to reach without a proxy (no_proxy), or null.</summary>
    public string? NoProxy { get; init; }

    /// <summary>Reads the settings; the defaults where init-data has none.</summary>
    /// <exception cref="MalformedDataException">A setting is not known, is there in two forms, or is not what it should be.</exception>
    public static ImageSettings From(InitDataToml initData)
    {
        if (initData.Find(Hub) is not { } text || Table(TomlText.Parse(Encoding.UTF8.GetBytes(text), Hub), "image") is not { } image)
            return new ImageSettings();
        foreach (var name in image.Keys.Where(k => !IsKnown(k)))
            throw Malformed($"[image] has \"{name}\", which is not known");
        var proxy = Table(image, "image_pull_proxy");
        return new ImageSettings
        {
            SecurityPolicy = Setting(image, "image_security_policy_uri", "image_security_policy"),
            SigstoreConfiguration = Setting(image, "sigstore_config_uri", "sigstore_config"),
            RegistryConfiguration = RegistrySetting(image),
            Credentials = Setting(image, "authenticated_registry_credentials_uri", null),
            AuthoritiesPem = Texts(image, "extra_root_certificates"),
            HttpsProxy = Text(proxy, "https_proxy"),
            HttpProxy = Text(proxy, "http_proxy"),
            NoProxy = Text(proxy, "no_proxy"),
        };
    }

    private static bool IsKnown(string name) => s_ignored.Contains(name) || name is "image_security_policy_uri" or "image_security_policy"
        or "sigstore_config_uri" or "sigstore_config" or "registry_configuration_uri" or "registry_config"
        or "authenticated_registry_credentials_uri" or "extra_root_certificates" or "image_pull_proxy";

    private static ImageSetting? Setting(TomlTable image, string uriName, string? textName)
    {
        var (uri, text) = (Text(image, uriName), textName is null ? null : Text(image, textName));
        if (uri is not null && text is not null)
            throw Malformed($"\"{uriName}\" and \"{textName}\" are both there");
        return uri is null && text is null ? null : new ImageSetting(uri is null ? null : RequireUri(uriName, uri), text);
    }

    private static ImageSetting? RegistrySetting(TomlTable image)
    {
        var table = Table(image, "registry_config");
        if (table is null)
            return Setting(image, "registry_configuration_uri", null);
        return image.ContainsKey("registry_configuration_uri")
            ? throw Malformed("\"registry_configuration_uri\" and \"registry_config\" are both there")
            : new ImageSetting(null, TomlSerializer.Serialize(table, TomlContext.Default.TomlTable));
    }

    // The data hub also takes file:///…; a guest has no files but those that are measured with it.
    private static string RequireUri(string name, string uri) => uri.StartsWith("kbs:///", StringComparison.Ordinal)
        ? uri
        : throw Malformed($"\"{name}\" must be a resource of the broker, kbs:///repository/type/tag");

    private static TomlTable? Table(TomlTable table, string name) => TomlText.OptionalTable(table, name, Hub);

    private static string? Text(TomlTable? table, string name) => table is null ? null : TomlText.OptionalText(table, name, Hub);

    private static IReadOnlyList<string> Texts(TomlTable table, string name) => !table.TryGetValue(name, out var value)
        ? []
        : value is TomlArray list && list.All(e => e is string)
            ? [.. list.OfType<string>()]
            : throw Malformed($"\"{name}\" is not an array of strings");

    private static MalformedDataException Malformed(string reason) => new(Hub, -1, reason);
}

/// <summary>A document that is at the broker or in the init-data itself.</summary>
/// <param name="Uri">kbs:///repository/type/tag, or null.</param>
/// <param name="Text">The document, or null.</param>
public sealed record ImageSetting(string? Uri, string? Text);
