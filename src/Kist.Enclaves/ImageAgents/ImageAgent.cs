using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.Names;
using Kist.Enclaves.Sgx;
using Kist.Formats;
using Kist.Images;
using Kist.Images.Ocicrypt;
using Kist.Linux.Files;
using Kist.Oci;

namespace Kist.Enclaves.ImageAgents;

/// <summary>
/// A pod's image agent, in its enclave: pulls images, decrypts them with keys that the broker released to this enclave, and
/// hands each to the application enclaves that its own manifest lists, and to no others. The host asks it to pull, and
/// keeps what it writes.
/// </summary>
sealed class ImageAgent(EnclaveSelf self, ManifestAgent settings, ImageStore store, string scratch, ILayerKeyProvider keys) : IDisposable
{
    internal const string ApplicationLabel = "kist image agent 1: application";
    internal const string AgentLabel = "kist image agent 1: agent";

    private readonly SemaphoreSlim _pulling = new(1);

    /// <summary>Makes an image ready, unless it is.</summary>
    public async Task PullAsync(string reference, bool? plainHttp, CancellationToken cancellationToken)
    {
        var image = ImageReference.Parse(reference);
        var digest = image.Digest ?? throw new OperationFailedException("pull image", reference, "the reference has no digest, so nothing says which image it is", "append @sha256:…");
        await _pulling.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using (var ready = store.FindKey(digest))
            {
                if (ready is not null)
                    return;
            }

            await PullAsync(image, digest, plainHttp, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _pulling.Release();
        }
    }

    public void Dispose() => _pulling.Dispose();

    public ImageAgentReply Hello() => new() { TargetInfo = LocalAttestation.TargetOf(self.Secs).Bytes.ToArray(), Manifest = self.Manifest };

    /// <summary>Hands an image's key to an application enclave that proves to be one that may have it.</summary>
    public ImageAgentReply Release(byte[] manifestBytes, byte[] reportBytes, byte[] publicKey)
    {
        var report = Report.Parse(reportBytes);
        var application = Convert.ToHexStringLower(report.Body.MrEnclave);
        OperationFailedException Refusal(string reason, string? hint = null) => new("release image key", $"enclave {application}", reason, hint);
        if (!LocalAttestation.IsGenuine(report, LocalAttestation.Bind(ApplicationLabel, publicKey), self.Platform.Key))
            throw Refusal("its report is not genuine, not for this agent, or not for this key");
        if (!settings.Applications.Contains(application, StringComparer.Ordinal))
            throw Refusal("it is none of the applications that this agent's manifest lists", "measure the application and list it (annotation kist.enclave.agent)");
        if (self.FindDefect(report, manifestBytes) is { } defect)
            throw Refusal(defect);
        var manifest = EnclaveManifest.Parse(manifestBytes);
        if (manifest.ImageFromAgent != true)
            throw Refusal("its manifest asks for no image");
        using var key = store.FindKey(Digest.Parse(manifest.ImageDigest!))
            ?? throw Refusal($"its image {manifest.ImageDigest} has not been pulled");

        using var own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var ownKey = own.ExportSubjectPublicKeyInfo();
        var box = KeyBox.Close(key.Span, own, publicKey);
        var proof = self.Platform.Report(TargetInfo.Of(report.Body), LocalAttestation.Bind(AgentLabel, ownKey, publicKey, box));
        return new ImageAgentReply { Report = proof.Bytes.ToArray(), PublicKey = ownKey, Box = box };
    }

    /// <summary>How to talk to an image's registry. The host's word counts only where nothing secret is spoken.</summary>
    private async Task<RegistryOptions> RegistryAsync(ImageReference image, bool? plainHttp, CancellationToken cancellationToken)
    {
        var credentials = settings.RegistryCredentials is { } resource
            ? AuthFileCredentials.Parse(await keys.GetKeyAsync(resource, cancellationToken).ConfigureAwait(false)) : null;
        var isPrivate = credentials is not null && await credentials.FindAsync(image.Registry, image.Repository, cancellationToken).ConfigureAwait(false) is not null;
        var authorities = new X509Certificate2Collection();
        if (settings.RegistryAuthorities is { } pem)
            authorities.ImportFromPem(pem);
        return new RegistryOptions
        {
            PlainHttp = isPrivate || authorities.Count > 0 ? false : plainHttp,
            CertificateAuthorities = [.. authorities],
            Credentials = credentials,
            Connect = NameResolver.ConnectFromThisRootAsync,
        };
    }

    private async Task PullAsync(ImageReference image, Digest digest, bool? plainHttp, CancellationToken cancellationToken)
    {
        var name = digest.Hex;
        Directory.CreateDirectory(scratch);
        try
        {
            var registry = await RegistryAsync(image, plainHttp, cancellationToken).ConfigureAwait(false);
            var pulled = await ImagePuller.PullAsync(
                image, registry, keys, Path.Combine(scratch, name), new PullOptions(), null, cancellationToken).ConfigureAwait(false);
            store.Add(digest, pulled.RootFileSystem);
        }
        finally
        {
            using var parent = DirectoryHandle.Open(scratch);
            parent.RemoveTree(System.Text.Encoding.ASCII.GetBytes(name));
        }
    }
}
