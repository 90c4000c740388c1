using System.Net.Http.Headers;
using System.Text;

namespace Kist.Oci;

/// <summary>
/// Answers a registry's challenges: basic, or a bearer token from the token server that the challenge names, if
/// <see cref="HostRules"/> allow that server. Tokens are kept by scope until shortly before they expire.
/// </summary>
sealed class RegistryAuthenticator(Uri registry, string registryName, RegistryOptions options, HttpMessageInvoker http)
{
    private const int MaxTokenBodyBytes = 256 * 1024;
    private static readonly TimeSpan s_defaultLifetime = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (AuthenticationHeaderValue Header, DateTimeOffset Until)> _headers = [];

    /// <summary>The header for a scope, if one is known.</summary>
    public AuthenticationHeaderValue? Find(string scope)
    {
        lock (_lock)
            return _headers.TryGetValue(scope, out var entry) && entry.Until > options.Time.GetUtcNow() ? entry.Header : null;
    }

    /// <summary>Gets a header for a scope by what the registry asked for; null if nothing can be done.</summary>
    public async Task<AuthenticationHeaderValue?> AnswerAsync(
        HttpHeaderValueCollection<AuthenticationHeaderValue> challenges, string repository, string scope, CancellationToken cancellationToken)
    {
        var challenge = challenges.Select(c => AuthenticationChallenge.Parse(c.ToString())).FirstOrDefault(c => c is not null);
        if (challenge is null)
            return null;
        var credential = options.Credentials is null
            ? null
            : await options.Credentials.FindAsync(registryName, repository, cancellationToken).ConfigureAwait(false);
        var (header, lifetime) = challenge.Scheme == "basic"
            ? (credential is null ? null : Basic(credential), TimeSpan.FromHours(1))
            : await GetTokenAsync(challenge, credential, scope, cancellationToken).ConfigureAwait(false);
        if (header is not null)
        {
            lock (_lock)
                _headers[scope] = (header, options.Time.GetUtcNow() + lifetime);
        }

        return header;
    }

    private static AuthenticationHeaderValue Basic(RegistryCredential credential) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.User}:{credential.Secret}")));

    private async Task<(AuthenticationHeaderValue? Header, TimeSpan Lifetime)> GetTokenAsync(
        AuthenticationChallenge challenge, RegistryCredential? credential, string scope, CancellationToken cancellationToken)
    {
        if (!challenge.Parameters.TryGetValue("realm", out var realmText) || !Uri.TryCreate(realmText, UriKind.Absolute, out var realm))
            throw Failure(registry.ToString(), "the registry asks for a token but names no server for it");
        if (!HostRules.Allows(registry, realm, options.TrustedHosts))
        {
            throw Failure(
                realm.Host, $"the registry {registryName} has its tokens issued by a host that is not trusted for it",
                $"if that is right, add {realm.Host} to the hosts trusted for {registryName}");
        }

        using var request = TokenRequest(challenge, realm, credential, scope);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.ResponseTimeout);
        using var response = await http.SendAsync(request, timeout.Token).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw Failure(
                realm.ToString(), $"the token server answered {(int)response.StatusCode}",
                credential is null ? "the repository may be private: log in first" : $"check the password of {credential}");
        }

        var body = await BoundedBody.ReadAsync(response.Content, MaxTokenBodyBytes, timeout.Token).ConfigureAwait(false);
        var token = OciJson.Parse(body, OciJson.Context.RegistryTokenBody, "token server's answer");
        var text = token.Token ?? token.AccessToken ?? throw Failure(realm.ToString(), "the token server's answer has no token");
        var lifetime = token.ExpiresIn is { } seconds and > 10 ? TimeSpan.FromSeconds(Math.Min(seconds, 86400) * 0.9) : s_defaultLifetime * 0.9;
        return (new AuthenticationHeaderValue("Bearer", text), lifetime);
    }

    private static HttpRequestMessage TokenRequest(AuthenticationChallenge challenge, Uri realm, RegistryCredential? credential, string scope)
    {
        challenge.Parameters.TryGetValue("service", out var service);
        if (credential is { IsIdentityToken: true })
        {
            return new HttpRequestMessage(HttpMethod.Post, realm)
            {
                Content = new FormUrlEncodedContent(
                [
                    new("grant_type", "refresh_token"), new("refresh_token", credential.Secret), new("client_id", "kist"),
                    new("service", service ?? ""), new("scope", scope),
                ]),
            };
        }

        var query = new StringBuilder(realm.Query.Length > 1 ? realm.Query + "&" : "?");
        if (service is not null)
            query.Append("service=").Append(Uri.EscapeDataString(service)).Append('&');
        query.Append("scope=").Append(Uri.EscapeDataString(scope));
        var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(realm) { Query = query.ToString() }.Uri);
        if (credential is not null)
            request.Headers.Authorization = Basic(credential);
        return request;
    }

    private static RegistryException Failure(string subject, string reason, string? hint = null) =>
        new("log in to registry", subject, reason, hint: hint);
}
