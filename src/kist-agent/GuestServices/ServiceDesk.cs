using System.Text;
using Kist.Agent.Policy;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.Images.Secrets;
using Kist.KeyBroker.Protocol;
using Kist.Pods.Protocol;

namespace Kist.Agent.GuestServices;

/// <summary>
/// What the guest does for its containers, each after asking the policy whether this container may have it. Both fronts, HTTP
/// and ttrpc, come here.
/// </summary>
sealed class ServiceDesk(IServedGuest guest)
{
    /// <summary>Events of this domain are the agent's own.</summary>
    private const string AgentDomain = "github.com/confidential-containers";

    private const int MaximumEvent = 16 << 10;

    public string Tee => guest.Tee?.Tee ?? "";

    public bool IsSimulated => guest.Tee?.IsSimulated ?? false;

    /// <summary>A secret of the broker.</summary>
    public async Task<SecretBytes> GetResourceAsync(Caller caller, string uri, CancellationToken cancellationToken)
    {
        var resource = ResourceUri.Parse(uri);
        Require(caller, ServiceNames.Resource, resource.ToString());
        return await guest.Secrets.GetResourceAsync(resource.ToString(), cancellationToken);
    }

    /// <summary>The key of a volume: asked for only once the policy has allowed the volume with this key.</summary>
    public Task<SecretBytes> GetVolumeKeyAsync(string uri, CancellationToken cancellationToken) =>
        guest.Secrets.GetResourceAsync(ResourceUri.Parse(uri).ToString(), cancellationToken);

    /// <summary>A key of the broker by which the guest unwraps an image's keys for a container, which does not see the key itself.</summary>
    public async Task<byte[]> GetWrappingKeyAsync(Caller caller, string uri, CancellationToken cancellationToken)
    {
        var resource = ResourceUri.Parse(uri).ToString();
        Require(caller, ServiceNames.KeyProvider, resource);
        using var key = await guest.Secrets.GetResourceAsync(resource, cancellationToken);
        return key.Span.ToArray();
    }

    /// <summary>The secret that a sealed secret points to.</summary>
    public async Task<SecretBytes> UnsealAsync(Caller caller, string text, CancellationToken cancellationToken)
    {
        var secret = SealedSecret.Parse(text);
        if (secret.Payload is not { Type: "vault", Provider: "kbs", Name: { } name } || secret.KeyId is not { } keyId)
            throw new MalformedDataException("sealed secret", -1, "it is none that points to a resource of the broker and names its author's key");
        var resource = ResourceUri.Parse(name).ToString();
        Require(caller, ServiceNames.Unseal, resource);
        using var author = await guest.Secrets.GetResourceAsync(ResourceUri.Parse(keyId).ToString(), cancellationToken);
        if (!secret.Verify(JsonWebKey.Parse(author.Span)))
            throw new AgentException(FailureCode.KeyRefused, "verify sealed secret", resource, $"its signature is not that of {keyId}");
        return await guest.Secrets.GetResourceAsync(resource, cancellationToken);
    }

    /// <summary>Evidence over data of the container's choice, at most 64 bytes.</summary>
    public async Task<ReadOnlyMemory<byte>> GetEvidenceAsync(Caller caller, ReadOnlyMemory<byte> runtimeData, CancellationToken cancellationToken)
    {
        Require(caller, ServiceNames.Evidence, "");
        return await RequireTee("get evidence").GetEvidenceAsync(runtimeData, cancellationToken);
    }

    /// <summary>{"token":JWT,"tee_keypair":PEM}, with a key made for this answer.</summary>
    public async Task<byte[]> GetTokenAsync(Caller caller, string type, CancellationToken cancellationToken)
    {
        if (type != "kbs")
            throw new ArgumentException("the only type of token here is \"kbs\"", nameof(type));
        Require(caller, ServiceNames.Token, "");
        var (token, key) = await guest.Secrets.GetFreshTokenAsync(cancellationToken);
        // Neither a JWT nor PEM has characters but line breaks that JSON would escape.
        return Encoding.ASCII.GetBytes($$"""{"token":"{{token}}","tee_keypair":"{{key.ReplaceLineEndings("\\n")}}"}""");
    }

    /// <summary>Extends the runtime register by an event of the container's; false if this TEE has none.</summary>
    public async Task<bool> ExtendAsync(Caller caller, string domain, string operation, string content, CancellationToken cancellationToken)
    {
        if (domain.Length == 0 || operation.Length == 0 || domain.Length + operation.Length + content.Length > MaximumEvent)
            throw new ArgumentException($"an event has a domain and an operation, and at most {MaximumEvent} characters", nameof(domain));
        if (domain == AgentDomain)
            throw new AgentException(FailureCode.PolicyDenied, "record event", domain, "this domain's events are the agent's own");
        Require(caller, ServiceNames.EventLog, "");
        return await RequireTee("record event").ExtendAsync(domain, operation, content, cancellationToken);
    }

    private void Require(Caller caller, string service, string resource) => guest.Policy.Require(PolicyRules.GuestService, json =>
    {
        json.WriteString("container_id", caller.ContainerId);
        json.WriteString("container_name", caller.ContainerName);
        json.WriteString("service", service);
        json.WriteString("resource", resource);
    });

    private Tee.ITee RequireTee(string step) =>
        guest.Tee ?? throw new AgentException(FailureCode.TeeFailed, step, "guest", "it runs in no TEE");
}
