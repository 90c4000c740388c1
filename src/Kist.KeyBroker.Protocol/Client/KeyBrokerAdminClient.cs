using System.Globalization;
using System.Text;
using Kist.Formats;

namespace Kist.KeyBroker.Protocol;

/// <summary>
/// Administers a broker: secrets, policies, reference values, audit. Calls fail with <see cref="KeyBrokerException"/>
/// (step <see cref="KeyBrokerStep.Administer"/>) if the broker refuses. Safe for concurrent use.
/// </summary>
public sealed partial class KeyBrokerAdminClient : IDisposable
{
    private const int MaxAnswerBytes = 64 * 1024 * 1024;

    private readonly BrokerTransport _transport;
    private readonly string _token;

    /// <summary>Creates a client; nothing is sent yet.</summary>
    /// <param name="endpoint">The broker's address.</param>
    /// <param name="certificatePem">The broker's certificate, or its issuer's; null: the system's authorities decide.</param>
    /// <param name="token">The administrator's bearer token.</param>
    /// <param name="timeout">Longest time for one call; null for 60 s.</param>
    /// <param name="handler">Replaces the network in tests.</param>
    /// <exception cref="MalformedDataException">The address is not https, or the certificate is not PEM.</exception>
    public KeyBrokerAdminClient(Uri endpoint, string? certificatePem, string token, TimeSpan? timeout = null, HttpMessageHandler? handler = null)
    {
        _transport = new BrokerTransport(endpoint, certificatePem, allowPlainHttp: false, timeout ?? TimeSpan.FromSeconds(60), handler);
        _token = token.Trim();
    }

    /// <summary>Closes its connections.</summary>
    public void Dispose() => _transport.Dispose();

    /// <summary>Stores a secret, or a new version of it.</summary>
    public Task PutResourceAsync(ResourceUri uri, ReadOnlyMemory<byte> secret, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{KbsProtocol.BasePath}/resource/{uri.Path}", uri.ToString(), secret, "application/octet-stream", cancellationToken);

    /// <summary>Deletes a secret; it can be restored.</summary>
    public Task DeleteResourceAsync(ResourceUri uri, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"{KbsProtocol.BasePath}/resource/{uri.Path}", uri.ToString(), cancellationToken);

    /// <summary>Sets a resource policy.</summary>
    /// <param name="scope">"" for all resources, "floor", a repository, or repository/type/tag.</param>
    /// <param name="rego">The policy's text; its rule is data.policy.allow.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task SetResourcePolicyAsync(string scope, string rego, CancellationToken cancellationToken) =>
        PutPolicyAsync("resource", scope, rego, cancellationToken);

    /// <summary>Sets an attestation policy.</summary>
    /// <param name="policyId">Its id with the class of TEE, such as "default_cpu".</param>
    /// <param name="rego">The policy's text; its rule is data.policy.trust_claims.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task SetAttestationPolicyAsync(string policyId, string rego, CancellationToken cancellationToken) =>
        PutPolicyAsync("attestation", policyId, rego, cancellationToken);

    /// <summary>Takes a policy out of force; the wider one or the default takes its place.</summary>
    /// <param name="kind">"attestation" or "resource".</param>
    /// <param name="scope">Its scope or id.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task DeletePolicyAsync(string kind, string scope, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"{KbsProtocol.KistBasePath}/policies/{kind}?scope={Escape(scope)}", scope, cancellationToken);

    /// <summary>The policies in force, or with a scope and <paramref name="history"/> all of its versions.</summary>
    public async Task<IReadOnlyList<PolicyDocument>> ListPoliciesAsync(string kind, string? scope, bool history, CancellationToken cancellationToken) =>
        (await GetAsync<PolicyList>(
            $"policies/{kind}?history={(history ? "true" : "false")}{(scope is null ? "" : $"&scope={Escape(scope)}")}", kind, cancellationToken).ConfigureAwait(false)).Policies;

    /// <summary>Registers measurements that must be met together.</summary>
    public Task RegisterReferenceSetAsync(ReferenceSet set, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{KbsProtocol.KistBasePath}/reference-sets", set.Name, KbsJson.Write(set), "application/json", cancellationToken);

    /// <summary>Takes a reference set out of force.</summary>
    public Task DeleteReferenceSetAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"{KbsProtocol.KistBasePath}/reference-sets?name={Escape(name)}", name, cancellationToken);

    /// <summary>Reference sets by name after <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<ReferenceSetDocument>> ListReferenceSetsAsync(string after, int limit, CancellationToken cancellationToken) =>
        (await GetAsync<ReferenceSetList>($"reference-sets?after={Escape(after)}&limit={Number(limit)}", "reference sets", cancellationToken).ConfigureAwait(false)).Sets;

    /// <summary>All versions of a reference set, oldest first.</summary>
    public async Task<IReadOnlyList<ReferenceSetDocument>> ReferenceSetHistoryAsync(string name, CancellationToken cancellationToken) =>
        (await GetAsync<ReferenceSetList>($"reference-sets?name={Escape(name)}", name, cancellationToken).ConfigureAwait(false)).Sets;

    /// <summary>Registers single reference values, as policies written for Trustee ask for them.</summary>
    /// <param name="json">A JSON object from name to value, in UTF-8.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task RegisterReferenceValuesAsync(ReadOnlyMemory<byte> json, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post, $"{KbsProtocol.BasePath}/reference-value", "reference values",
        KbsJson.Write(new ReferenceValueMessage { Type = "sample", Payload = Convert.ToBase64String(json.Span) }), "application/json", cancellationToken);

    /// <summary>Single reference values by name after <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<ReferenceValueDocument>> ListReferenceValuesAsync(string after, int limit, CancellationToken cancellationToken) =>
        (await GetAsync<ReferenceValueList>($"reference-values?after={Escape(after)}&limit={Number(limit)}", "reference values", cancellationToken).ConfigureAwait(false)).Values;

    /// <summary>Takes a single reference value out of force.</summary>
    public Task DeleteReferenceValueAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"{KbsProtocol.KistBasePath}/reference-values?name={Escape(name)}", name, cancellationToken);

    private Task<ReadOnlyMemory<byte>> PutPolicyAsync(string kind, string scope, string rego, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Put, $"{KbsProtocol.KistBasePath}/policies/{kind}?scope={Escape(scope)}", $"{kind} policy \"{scope}\"",
        Encoding.UTF8.GetBytes(rego), "text/plain", cancellationToken);

    private async Task<T> GetAsync<T>(string path, string subject, CancellationToken cancellationToken)
        where T : class =>
        KbsJson.Read<T>((await SendAsync(HttpMethod.Get, $"{KbsProtocol.KistBasePath}/{path}", subject, cancellationToken).ConfigureAwait(false)).Span, MaxAnswerBytes);

    private Task<ReadOnlyMemory<byte>> SendAsync(HttpMethod method, string path, string subject, CancellationToken cancellationToken) =>
        SendAsync(method, path, subject, null, "application/json", cancellationToken);

    private async Task<ReadOnlyMemory<byte>> SendAsync(
        HttpMethod method, string path, string subject, ReadOnlyMemory<byte>? body, string contentType, CancellationToken cancellationToken)
    {
        var response = await _transport.SendAsync(
            KeyBrokerStep.Administer, method, path, new BrokerRequest(body, _token, ContentType: contentType), MaxAnswerBytes, cancellationToken).ConfigureAwait(false);
        return response.IsSuccess
            ? response.Content
            : throw BrokerTransport.Refusal(KeyBrokerStep.Administer, subject, response, response.Status switch
            {
                401 => "the administrator's token is missing or not this broker's",
                403 => "the token's role does not allow this",
                _ => null,
            });
    }

    private static string Escape(string text) => Uri.EscapeDataString(text);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
