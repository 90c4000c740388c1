using System.Security.Cryptography.X509Certificates;
using System.Text;
using Kist.Formats;
using Kist.Images.Signatures;
using Kist.Oci;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Images;

/// <summary>
/// How this guest may pull images: the signatures that its owner demands, and the registries' rules, credentials and
/// authorities. All of it comes from init-data or from the broker, nothing from the host.
/// </summary>
sealed class ImageAccess(ImageSettings settings, BrokerKeys broker) : IPolicyKeySource
{
    /// <summary>
    /// What judges an image's signatures; null if the owner demands none. The policy is fetched anew for each image, so that a
    /// key can be withdrawn; if it cannot be had, nothing is pulled.
    /// </summary>
    public async Task<PolicyEvaluator?> PolicyAsync(CreateContainerRequest request, CancellationToken cancellationToken)
    {
        if (settings.SecurityPolicy is not { } policy)
            return null;
        var stores = new RegistriesConfiguration();
        if (settings.SigstoreConfiguration is { } sigstore)
            stores.Add(Encoding.UTF8.GetString(await ReadAsync(sigstore, cancellationToken)));
        return new PolicyEvaluator(
            ImagePolicy.Parse(await ReadAsync(policy, cancellationToken)), this,
            new LookasideStore(stores.LookasideFor, request.RegistryByDoor ? new RegistryDoors(request.RegistryDoors).ConnectAsync : null), new OpenPgpVerifier(TimeProvider.System));
    }

    /// <summary>How to talk to the registry of an image.</summary>
    public async Task<RegistryOptions> RegistryAsync(CreateContainerRequest request, ImageReference image, CancellationToken cancellationToken)
    {
        var credentials = settings.Credentials is { } file ? AuthFileCredentials.Parse(await ReadAsync(file, cancellationToken)) : null;

        // A password that the broker gave must not be spoken in the clear because the host says so.
        var isPrivate = credentials is not null && await credentials.FindAsync(image.Registry, image.Repository, cancellationToken) is not null;
        return new RegistryOptions
        {
            PlainHttp = request.InsecureRegistry && !isPrivate,
            CertificateAuthorities = [.. settings.AuthoritiesPem.Select(p => X509Certificate2.CreateFromPem(p))],
            Credentials = credentials,
            TrustedHosts = settings.TrustedHosts,
            Rules = settings.RegistryConfiguration is { } rules ? RegistryRules.Parse(await ReadAsync(rules, cancellationToken)) : RegistryRules.None,
            Proxy = settings.HttpsProxy is null && settings.HttpProxy is null ? null : new RegistryProxy(settings.HttpsProxy, settings.HttpProxy, settings.NoProxy),
            Connect = request.RegistryByDoor ? new RegistryDoors(request.RegistryDoors).ConnectAsync : null,
        };
    }

    /// <summary>A key that the policy names: a resource of the broker.</summary>
    public Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken) => path.StartsWith("kbs:///", StringComparison.Ordinal)
        ? broker.GetKeyAsync(path, cancellationToken)
        : throw new OperationFailedException("read policy key", path, "a guest has no such file", "name a resource of the broker, kbs:///…, or put the key into the policy");

    private async Task<byte[]> ReadAsync(ImageSetting setting, CancellationToken cancellationToken) =>
        setting.Uri is { } uri ? await broker.GetKeyAsync(uri, cancellationToken) : Encoding.UTF8.GetBytes(setting.Text!);
}
