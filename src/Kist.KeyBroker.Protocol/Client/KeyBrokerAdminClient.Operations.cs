using System.Text;
using Kist.Formats.Jose;

namespace Kist.KeyBroker.Protocol;

/// <content>The list of secrets, administrators' tokens, and the audit log.</content>
public sealed partial class KeyBrokerAdminClient
{
    /// <summary>Secrets by path after <paramref name="after"/>; never their values.</summary>
    public async Task<IReadOnlyList<ResourceDocument>> ListResourcesAsync(string after, int limit, bool deleted, CancellationToken cancellationToken) =>
        (await GetAsync<ResourceList>(
            $"resources?after={Escape(after)}&limit={Number(limit)}&deleted={(deleted ? "true" : "false")}", "secrets", cancellationToken).ConfigureAwait(false)).Resources;

    /// <summary>All versions of a secret, oldest first; never their values.</summary>
    public async Task<IReadOnlyList<ResourceVersionDocument>> ListResourceVersionsAsync(ResourceUri uri, CancellationToken cancellationToken) =>
        (await GetAsync<ResourceVersionList>($"resources/versions?path={Escape(uri.Path)}", uri.ToString(), cancellationToken).ConfigureAwait(false)).Versions;

    /// <summary>Brings a deleted secret back.</summary>
    public Task RestoreResourceAsync(ResourceUri uri, CancellationToken cancellationToken) => ChangeAsync("restore", uri, "", cancellationToken);

    /// <summary>Erases a deleted secret with all its versions.</summary>
    public Task PurgeResourceAsync(ResourceUri uri, CancellationToken cancellationToken) => ChangeAsync("purge", uri, "", cancellationToken);

    /// <summary>Makes an earlier version of a secret the one that is given out.</summary>
    public Task SelectResourceVersionAsync(ResourceUri uri, long version, CancellationToken cancellationToken) =>
        ChangeAsync("select", uri, $"&version={Number(version)}", cancellationToken);

    /// <summary>Sets on what terms a secret is given out; its count of reads begins anew.</summary>
    public Task SetResourceTermsAsync(ResourceUri uri, ResourceTermsDocument terms, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Put, $"{KbsProtocol.KistBasePath}/resource-terms?path={Escape(uri.Path)}", uri.ToString(), KbsJson.Write(terms), "application/json", cancellationToken);

    /// <summary>On what terms a secret is given out.</summary>
    /// <exception cref="KeyBrokerException">Status 404: on none but the policies'.</exception>
    public Task<ResourceTermsDocument> GetResourceTermsAsync(ResourceUri uri, CancellationToken cancellationToken) =>
        GetAsync<ResourceTermsDocument>($"resource-terms?path={Escape(uri.Path)}", uri.ToString(), cancellationToken);

    /// <summary>Lifts a secret's terms.</summary>
    public Task DeleteResourceTermsAsync(ResourceUri uri, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"{KbsProtocol.KistBasePath}/resource-terms?path={Escape(uri.Path)}", uri.ToString(), cancellationToken);

    /// <summary>Revokes a running workload, a token, or all workloads with one init-data, at once.</summary>
    public Task RevokeAsync(RevocationDocument revocation, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post, $"{KbsProtocol.KistBasePath}/revocations", revocation.Value, KbsJson.Write(revocation), "application/json", cancellationToken);

    /// <summary>All revocations, oldest first.</summary>
    public async Task<IReadOnlyList<RevocationDocument>> ListRevocationsAsync(CancellationToken cancellationToken) =>
        (await GetAsync<RevocationList>("revocations", "revocations", cancellationToken).ConfigureAwait(false)).Revocations;

    /// <summary>Lifts a revocation.</summary>
    public Task DeleteRevocationAsync(string kind, string value, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"{KbsProtocol.KistBasePath}/revocations?kind={Escape(kind)}&value={Escape(value)}", value, cancellationToken);

    /// <summary>Changes that wait for a second person, and with <paramref name="decided"/> those that were decided.</summary>
    public async Task<IReadOnlyList<ProposalDocument>> ListProposalsAsync(bool decided, CancellationToken cancellationToken) =>
        (await GetAsync<ProposalList>($"proposals?decided={(decided ? "true" : "false")}", "proposals", cancellationToken).ConfigureAwait(false)).Proposals;

    /// <summary>Puts somebody else's proposal in force.</summary>
    public Task ApproveProposalAsync(string id, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{KbsProtocol.KistBasePath}/proposals/approve?id={Escape(id)}", id, cancellationToken);

    /// <summary>Rejects a proposal, or withdraws one's own.</summary>
    public Task RejectProposalAsync(string id, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{KbsProtocol.KistBasePath}/proposals/reject?id={Escape(id)}", id, cancellationToken);

    /// <summary>Wraps everything with the present master key that an earlier one protects, in as many requests as it takes.</summary>
    /// <returns>How many versions of secrets were wrapped anew.</returns>
    public async Task<long> RewrapAsync(CancellationToken cancellationToken)
    {
        long count = 0;
        RewrapReport report;
        do
        {
            report = KbsJson.Read<RewrapReport>(
                (await SendAsync(HttpMethod.Post, $"{KbsProtocol.KistBasePath}/resources/rewrap", "secrets", cancellationToken).ConfigureAwait(false)).Span, MaxAnswerBytes);
            count += report.Rewrapped;
        }
        while (report.Left > 0);
        return count;
    }

    /// <summary>Imports a document with reference values: a CoRIM, a signed reference set or, if that is allowed, an unsigned one.</summary>
    public async Task<ReferenceImportReport> ImportReferencesAsync(ReadOnlyMemory<byte> document, bool allowUnsigned, CancellationToken cancellationToken) =>
        KbsJson.Read<ReferenceImportReport>(
            (await SendAsync(
                HttpMethod.Post, $"{KbsProtocol.KistBasePath}/reference-imports{(allowUnsigned ? "?unsigned=allow" : "")}", "reference values", document, "application/octet-stream", cancellationToken)
                .ConfigureAwait(false)).Span,
            MaxAnswerBytes);

    /// <summary>Makes a tenant, or opens a closed one again.</summary>
    public Task OpenTenantAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{KbsProtocol.KistBasePath}/tenants?name={Escape(name)}", name, cancellationToken);

    /// <summary>Closes a tenant: it gets nothing more, and nothing of it is deleted.</summary>
    public Task CloseTenantAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"{KbsProtocol.KistBasePath}/tenants?name={Escape(name)}", name, cancellationToken);

    /// <summary>All tenants.</summary>
    public async Task<IReadOnlyList<TenantDocument>> ListTenantsAsync(CancellationToken cancellationToken) =>
        (await GetAsync<TenantList>("tenants", "tenants", cancellationToken).ConfigureAwait(false)).Tenants;

    /// <summary>Which master key wraps, what each wraps, and the changes so far.</summary>
    public Task<MasterKeyStatus> GetMasterKeyAsync(CancellationToken cancellationToken) => GetAsync<MasterKeyStatus>("master-key", "master key", cancellationToken);

    /// <summary>Makes the key at a location the master key, on all replicas; secrets are wrapped anew by <see cref="RewrapAsync"/>.</summary>
    public async Task<MasterKeyStatus> RotateMasterKeyAsync(string location, CancellationToken cancellationToken) => KbsJson.Read<MasterKeyStatus>(
        (await SendAsync(
            HttpMethod.Post, $"{KbsProtocol.KistBasePath}/master-key", location, KbsJson.Write(new RotateMasterKeyRequest { Location = location }), "application/json", cancellationToken)
            .ConfigureAwait(false)).Span,
        MaxAnswerBytes);

    /// <summary>Makes an administrator's token; the answer is the one place where it is shown.</summary>
    public async Task<AdminTokenDocument> CreateAdminTokenAsync(CreateAdminTokenRequest request, CancellationToken cancellationToken) =>
        KbsJson.Read<AdminTokenDocument>(
            (await SendAsync(HttpMethod.Post, $"{KbsProtocol.KistBasePath}/admin-tokens", request.Name, KbsJson.Write(request), "application/json", cancellationToken)
                .ConfigureAwait(false)).Span,
            MaxAnswerBytes);

    /// <summary>All administrators' tokens, without the tokens.</summary>
    public async Task<IReadOnlyList<AdminTokenDocument>> ListAdminTokensAsync(CancellationToken cancellationToken) =>
        (await GetAsync<AdminTokenList>("admin-tokens", "administrators", cancellationToken).ConfigureAwait(false)).Tokens;

    /// <summary>Ends an administrator's token.</summary>
    public Task RevokeAdminTokenAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"{KbsProtocol.KistBasePath}/admin-tokens?name={Escape(name)}", name, cancellationToken);

    /// <summary>The audit log's signed tree head.</summary>
    public Task<AuditTreeHead> GetAuditHeadAsync(CancellationToken cancellationToken) => GetAsync<AuditTreeHead>("audit/head", "audit log", cancellationToken);

    /// <summary>Where the log begins once old entries were removed; null if none ever was.</summary>
    public async Task<AuditCheckpointDocument?> GetAuditCheckpointAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await GetAsync<AuditCheckpointDocument>("audit/checkpoint", "audit log", cancellationToken).ConfigureAwait(false);
        }
        catch (KeyBrokerException e) when (e.Code == "object.unknown")
        {
            return null;
        }
    }

    /// <summary>The key that signs tree heads.</summary>
    public async Task<JsonWebKey> GetAuditKeyAsync(CancellationToken cancellationToken) => JsonWebKey.Parse(
        (await SendAsync(HttpMethod.Get, $"{KbsProtocol.KistBasePath}/audit/key", "audit log", cancellationToken).ConfigureAwait(false)).Span);

    /// <summary>Entries from a position on, in order.</summary>
    public async Task<IReadOnlyList<AuditEntryDocument>> ListAuditEntriesAsync(long from, int limit, CancellationToken cancellationToken) =>
        (await GetAsync<AuditEntryList>($"audit/entries?from={Number(from)}&limit={Number(limit)}", "audit log", cancellationToken).ConfigureAwait(false)).Entries;

    /// <summary>Entries that match, latest first.</summary>
    public async Task<IReadOnlyList<AuditEntryDocument>> SearchAuditAsync(AuditSearch search, CancellationToken cancellationToken)
    {
        var query = new StringBuilder($"audit/search?limit={Number(search.Limit)}");
        void Add(string name, string? value)
        {
            if (value is not null)
                query.Append('&').Append(name).Append('=').Append(Escape(value));
        }

        Add("before", search.Before is { } before ? Number(before) : null);
        Add("from", search.From?.ToString("O"));
        Add("until", search.Until?.ToString("O"));
        Add("tenant", search.Tenant);
        Add("actor", search.Actor);
        Add("kind", search.Kind);
        Add("outcome", search.Outcome);
        Add("correlation", search.Correlation);
        Add("resource", search.Resource);
        Add("workload", search.Workload);
        Add("tee", search.Tee);
        return (await GetAsync<AuditEntryList>(query.ToString(), "audit log", cancellationToken).ConfigureAwait(false)).Entries;
    }

    /// <summary>The hashes that prove an entry to be in the tree of this size.</summary>
    public async Task<IReadOnlyList<byte[]>> GetInclusionProofAsync(long sequence, long size, CancellationToken cancellationToken) =>
        Hashes(await GetAsync<AuditProof>($"audit/inclusion?sequence={Number(sequence)}&size={Number(size)}", "audit log", cancellationToken).ConfigureAwait(false));

    /// <summary>The hashes that prove that the tree of the second size begins with that of the first.</summary>
    public async Task<IReadOnlyList<byte[]>> GetConsistencyProofAsync(long first, long second, CancellationToken cancellationToken) =>
        Hashes(await GetAsync<AuditProof>($"audit/consistency?first={Number(first)}&second={Number(second)}", "audit log", cancellationToken).ConfigureAwait(false));

    /// <summary>A document that an entry names: a verdict, the evidence, a policy.</summary>
    /// <param name="digest">"sha256:…" as the entry has it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<ReadOnlyMemory<byte>> GetAuditAttachmentAsync(string digest, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, $"{KbsProtocol.KistBasePath}/audit/attachment?digest={Escape(digest)}", digest, cancellationToken);

    private Task<ReadOnlyMemory<byte>> ChangeAsync(string action, ResourceUri uri, string more, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{KbsProtocol.KistBasePath}/resources/{action}?path={Escape(uri.Path)}{more}", uri.ToString(), cancellationToken);

    private static List<byte[]> Hashes(AuditProof proof)
    {
        try
        {
            return [.. proof.Path.Select(Convert.FromHexString)];
        }
        catch (FormatException e)
        {
            throw new Formats.MalformedDataException("audit proof", -1, "its hashes are not hexadecimal", e);
        }
    }
}
