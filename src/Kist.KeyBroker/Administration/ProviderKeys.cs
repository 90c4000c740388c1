using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Secrets;

namespace Kist.KeyBroker.Administration;

/// <summary>
/// A provider's keys, fetched when they are first needed, again when they have become old, and when a token names one that
/// is not among them: that at most once in a while, whatever strangers send. Old keys serve while the provider cannot be
/// reached, but not for ever: a key that was taken back must end some time.
/// </summary>
sealed class ProviderKeys(IdentityProvider provider, TimeProvider time) : IDisposable
{
    private const int MaxKeys = 100;
    private const int MaxFileBytes = 256 * 1024;
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Stale = TimeSpan.FromHours(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<Uri, KeeperClient> _clients = [];
    private List<(string? Id, JsonWebKey Key)> _keys = [];
    private DateTimeOffset _fetched = DateTimeOffset.MinValue;
    private DateTimeOffset _tried = DateTimeOffset.MinValue;

    /// <summary>The keys that may have signed a token.</summary>
    /// <param name="id">The key that it names, or null.</param>
    /// <exception cref="OperationFailedException">There are none that are young enough, and no newer ones are to be had.</exception>
    public IReadOnlyList<JsonWebKey> For(string? id)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var old = now - _fetched >= Fresh;
            if ((old || (id is not null && Find(id).Count == 0)) && now - _tried >= Pause)
                Refresh(now);
            if (now - _fetched >= Stale)
                throw new OperationFailedException("fetch keys of the identity provider", provider.Issuer, "it could not be reached for a long time", "check its address, and that it runs", isTransient: true);
            return Find(id);
        }
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values)
            client.Dispose();
    }

    private List<JsonWebKey> Find(string? id) => [.. _keys.Where(k => id is null || k.Id == id).Select(k => k.Key)];

    private void Refresh(DateTimeOffset now)
    {
        _tried = now;
        try
        {
            _keys = provider.KeySetFile is { } file ? ReadFile(file) : Fetch(provider.KeySetAddress ?? Discover(), Read);
            _fetched = now;
        }
        catch (OperationFailedException) when (now - _fetched < Stale)
        {
            // Those at hand go on serving.
        }
    }

    /// <summary>OpenID Connect Discovery 1.0, section 4: the document must be the issuer's own.</summary>
    private Uri Discover() => Fetch(new Uri($"{provider.Issuer.TrimEnd('/')}/.well-known/openid-configuration"), document =>
        document.GetProperty("issuer").GetString() != provider.Issuer ? throw new FormatException("its \"issuer\" is another")
        : Uri.TryCreate(document.GetProperty("jwks_uri").GetString(), UriKind.Absolute, out var address) ? address
        : throw new FormatException("its \"jwks_uri\" is no address"));

    private T Fetch<T>(Uri address, Func<JsonElement, T> read)
    {
        var server = new Uri(address.GetLeftPart(UriPartial.Authority));
        if (!_clients.TryGetValue(server, out var client))
            _clients.Add(server, client = new KeeperClient(server, provider.AuthorityFile, provider.Issuer));
        return client.Send("fetch keys of the identity provider", new HttpRequestMessage(HttpMethod.Get, address.PathAndQuery), read);
    }

    private static List<(string? Id, JsonWebKey Key)> ReadFile(string file)
    {
        try
        {
            var info = new FileInfo(file);
            if (info.Length > MaxFileBytes)
                throw new OperationFailedException("read keys of the identity provider", file, $"it is longer than {MaxFileBytes} bytes");
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new OperationFailedException("read keys of the identity provider", file, e.Message, inner: e);
        }
    }

    private static List<(string? Id, JsonWebKey Key)> Read(JsonElement set)
    {
        var keys = new List<(string? Id, JsonWebKey Key)>();
        foreach (var json in set.GetProperty("keys").EnumerateArray().Take(MaxKeys))
        {
            if (json.TryGetProperty("use", out var use) && use.ValueEquals("enc"u8))
                continue;
            try
            {
                keys.Add((json.TryGetProperty("kid", out var id) ? id.GetString() : null, JsonWebKey.Parse(json)));
            }
            catch (MalformedDataException)
            {
                // A key of a kind that is not used here.
            }
        }

        return keys;
    }
}
