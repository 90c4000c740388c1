using System.Security.Cryptography;
using Kist.Images.Signatures;
using Kist.Images.Tests;
using Kist.Oci;

namespace Kist.EndToEnd;

/// <summary>Signs an image as cosign does without a lasting key: by a certificate of a few minutes, and an entry in a log.</summary>
static class KeylessSignature
{
    public static async Task PushAsync(SigstoreStandIn sigstore, string image, CancellationToken cancellationToken)
    {
        using var repository = new RegistryRepository(ImageReference.Parse(image), new RegistryOptions());
        var manifest = (await repository.ResolveAsync(cancellationToken)).Digest;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = sigstore.Issue(key);
        var payload = new SignaturePayload(manifest, repository.Reference.Name).ToBytes(SignaturePayload.CosignType);
        var signature = key.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        var layer = new Descriptor
        {
            MediaType = "application/vnd.dev.cosign.simplesigning.v1+json",
            Digest = Digest.Of(payload),
            Size = payload.Length,
            Annotations = SigstoreStandIn.Annotations(signature, certificate, sigstore.Authority, sigstore.LogHashedRekord(payload, signature, certificate)),
        };
        var configuration = new ImageConfiguration { Rootfs = new RootFileSystemDigests { DiffIds = [layer.Digest] } }.ToBytes();
        var config = new Descriptor { MediaType = MediaTypes.Configuration, Digest = Digest.Of(configuration), Size = configuration.Length };
        await PushAsync(layer, payload);
        await PushAsync(config, configuration);
        var document = new ImageManifest { MediaType = MediaTypes.Manifest, Config = config, Layers = [layer] };
        await repository.PutManifestAsync(ManifestContent.Create(MediaTypes.Manifest, document.ToBytes()), CosignSignatures.TagOf(manifest), cancellationToken);

        Task PushAsync(Descriptor blob, byte[] content) => repository.PushBlobAsync(blob, _ => Task.FromResult<Stream>(new MemoryStream(content)), cancellationToken);
    }
}
