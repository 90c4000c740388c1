using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// Credentials from an auth.json (containers-auth.json(5)) or Docker's config.json. The longest entry that is the
/// registry, or the registry and a beginning of the repository's path, decides.
/// </summary>
public sealed class AuthFileCredentials : IRegistryCredentialSource
{
    private const int MaxFileBytes = 1024 * 1024;

    private readonly AuthFile _file;

    private AuthFileCredentials(AuthFile file) => _file = file;

    /// <summary>Reads the content of such a file.</summary>
    public static AuthFileCredentials Parse(ReadOnlySpan<byte> json) => new(OciJson.Parse(json, OciJson.Context.AuthFile, "auth.json"));

    /// <summary>
    /// The first that exists of $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json,
    /// $DOCKER_CONFIG/config.json and ~/.docker/config.json; null if there is none.
    /// </summary>
    public static AuthFileCredentials? FromDefaultFiles()
    {
        foreach (var path in DefaultPaths())
        {
            if (File.Exists(path))
                return new FileInfo(path).Length <= MaxFileBytes ? Parse(File.ReadAllBytes(path)) : throw new MalformedDataException("auth.json", -1, $"{path} is larger than {MaxFileBytes} bytes");
        }

        return null;
    }

    /// <inheritdoc/>
    public async ValueTask<RegistryCredential?> FindAsync(string registry, string repository, CancellationToken cancellationToken)
    {
        foreach (var key in Keys(registry, repository))
        {
            if (_file.CredHelpers?.TryGetValue(key, out var helper) == true)
                return await CredentialHelper.GetAsync(helper, key, cancellationToken).ConfigureAwait(false);
            if (_file.Auths?.TryGetValue(key, out var entry) == true && ToCredential(entry, key) is { } credential)
                return credential;
        }

        return _file.CredsStore is { } store ? await CredentialHelper.GetAsync(store, HelperKey(registry), cancellationToken).ConfigureAwait(false) : null;
    }

    private static IEnumerable<string> Keys(string registry, string repository)
    {
        for (var path = $"{registry}/{repository}"; path.Length > 0; path = path[..Math.Max(0, path.LastIndexOf('/'))])
            yield return path;
        yield return $"https://{registry}";
        if (registry == "docker.io")
            yield return HelperKey(registry);
    }

    private static string HelperKey(string registry) => registry == "docker.io" ? "https://index.docker.io/v1/" : registry;

    private static RegistryCredential? ToCredential(AuthEntry entry, string key)
    {
        if (entry.IdentityToken is { Length: > 0 } token)
            return new RegistryCredential("", token, IsIdentityToken: true);
        if (entry.Auth is not { Length: > 0 } auth)
            return null;
        string text;
        try
        {
            text = Encoding.UTF8.GetString(Convert.FromBase64String(auth)).TrimEnd('\0');
        }
        catch (FormatException e)
        {
            throw new MalformedDataException("auth.json", -1, $"auth of '{key}' is no base64", e);
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? throw new MalformedDataException("auth.json", -1, $"auth of '{key}' has no colon") : new RegistryCredential(text[..colon], text[(colon + 1)..]);
    }

    private static IEnumerable<string> DefaultPaths()
    {
        var home = Environment.GetEnvironmentVariable("HOME") ?? "/";
        if (Environment.GetEnvironmentVariable("REGISTRY_AUTH_FILE") is { Length: > 0 } file)
            yield return file;
        if (Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } run)
            yield return Path.Combine(run, "containers/auth.json");
        yield return Path.Combine(home, ".config/containers/auth.json");
        if (Environment.GetEnvironmentVariable("DOCKER_CONFIG") is { Length: > 0 } docker)
            yield return Path.Combine(docker, "config.json");
        yield return Path.Combine(home, ".docker/config.json");
    }
}

sealed record AuthFile
{
    public Dictionary<string, AuthEntry>? Auths { get; init; }

    public Dictionary<string, string>? CredHelpers { get; init; }

    public string? CredsStore { get; init; }
}

sealed record AuthEntry
{
    public string? Auth { get; init; }

    [JsonPropertyName("identitytoken")]
    public string? IdentityToken { get; init; }
}
