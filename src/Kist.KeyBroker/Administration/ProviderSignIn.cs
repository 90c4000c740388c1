using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Secrets;

namespace Kist.KeyBroker.Administration;

/// <summary>
/// Signs administrators in by redirect: the authorization code flow of OpenID Connect Core 1.0 (section 3.1) with PKCE
/// (RFC 7636, S256). What comes of it is the provider's ID token, which is judged like any other of its tokens.
/// </summary>
sealed class ProviderSignIn(IdentityProviders providers) : IDisposable
{
    private const int MaxTokenLength = 16 * 1024;
    private const int MaxSecretBytes = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<Uri, KeeperClient> _clients = [];
    private readonly Dictionary<string, Endpoints> _endpoints = new(StringComparer.Ordinal);

    /// <summary>The providers that can be signed in with.</summary>
    public IReadOnlyList<IdentityProvider> Providers { get; } = [.. providers.All.Where(p => p.ConsoleClient is not null)];

    /// <summary>Where the browser goes.</summary>
    /// <exception cref="OperationFailedException">The provider cannot be asked for its addresses.</exception>
    public Uri Begin(IdentityProvider provider, SignInSecret secret, string returnAddress)
    {
        var client = provider.ConsoleClient!;
        var (authorization, _) = EndpointsOf(provider);
        var query = Form(
            ("response_type", "code"), ("client_id", client.Id), ("redirect_uri", returnAddress), ("scope", client.Scope),
            ("state", secret.State), ("nonce", secret.Nonce), ("code_challenge", secret.Challenge), ("code_challenge_method", "S256"));
        return new Uri($"{authorization}{(authorization.Query.Length > 0 ? "&" : "?")}{query}");
    }

    /// <summary>Trades the code that the browser brought back for an ID token.</summary>
    /// <returns>The token; null if it was not made for this sign-in.</returns>
    /// <exception cref="OperationFailedException">The provider refuses, or cannot be reached.</exception>
    public string? Complete(IdentityProvider provider, SignInSecret secret, string returnAddress, string code)
    {
        var client = provider.ConsoleClient!;
        var (_, address) = EndpointsOf(provider);
        var request = new HttpRequestMessage(HttpMethod.Post, address.PathAndQuery)
        {
            Content = new StringContent(
                Form(("grant_type", "authorization_code"), ("code", code), ("redirect_uri", returnAddress), ("client_id", client.Id), ("code_verifier", secret.Verifier)),
                Encoding.ASCII, "application/x-www-form-urlencoded"),
        };
        if (client.SecretFile is { } file)
        {
            // RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
            using var password = SecretFiles.ReadLine(file, MaxSecretBytes, "read the console's secret at the identity provider");
            var pair = $"{Uri.EscapeDataString(client.Id)}:{Uri.EscapeDataString(Encoding.UTF8.GetString(password.Span))}";
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(pair)));
        }

        var token = Client(provider, address).Send("sign in", request, answer => answer.GetProperty("id_token").GetString()!);
        return HasNonce(token, secret.Nonce) ? token : null;
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values)
            client.Dispose();
    }

    private static bool HasNonce(string token, string nonce)
    {
        try
        {
            using var claims = StrictJson.ParseObject(JwsToken.Parse(token).Payload.Span, MaxTokenLength, "ID token");
            return StrictJson.OptionalText(claims.RootElement, "nonce", "ID token") == nonce;
        }
        catch (MalformedDataException)
        {
            return false;
        }
    }

    /// <summary>OpenID Connect Discovery 1.0, section 4; asked once.</summary>
    private Endpoints EndpointsOf(IdentityProvider provider)
    {
        lock (_lock)
        {
            if (_endpoints.TryGetValue(provider.Issuer, out var known))
                return known;
            var document = new Uri($"{provider.Issuer.TrimEnd('/')}/.well-known/openid-configuration");
            var found = Client(provider, document).Send("ask the identity provider for its addresses", new HttpRequestMessage(HttpMethod.Get, document.PathAndQuery), answer =>
                answer.GetProperty("issuer").GetString() != provider.Issuer
                    ? throw new FormatException("its \"issuer\" is another")
                    : new Endpoints(Address(answer, "authorization_endpoint"), Address(answer, "token_endpoint")));
            return _endpoints[provider.Issuer] = found;
        }
    }

    private static Uri Address(JsonElement document, string name) =>
        Uri.TryCreate(document.GetProperty(name).GetString(), UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? address
            : throw new FormatException($"its \"{name}\" is no https address");

    private KeeperClient Client(IdentityProvider provider, Uri address)
    {
        lock (_lock)
        {
            var server = new Uri(address.GetLeftPart(UriPartial.Authority));
            if (!_clients.TryGetValue(server, out var client))
                _clients.Add(server, client = new KeeperClient(server, provider.AuthorityFile, provider.Issuer));
            return client;
        }
    }

    private static string Form(params ReadOnlySpan<(string Name, string Value)> fields)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in fields)
            text.Append(text.Length > 0 ? "&" : "").Append(name).Append('=').Append(Uri.EscapeDataString(value));
        return text.ToString();
    }

    private sealed record Endpoints(Uri Authorization, Uri Token);
}
