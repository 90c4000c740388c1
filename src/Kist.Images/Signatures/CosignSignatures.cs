using System.Security.Cryptography;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Signatures;

/// <summary>
/// Cosign's signatures by key (cosign specs/SIGNATURE_SPEC.md): each is a layer of a manifest, its blob the payload, its
/// annotation the signature. The manifest is found under the tag "sha256-HEX.sig" and, since OCI 1.1, among the referrers.
/// </summary>
public static class CosignSignatures
{
    private const string LayerType = "application/vnd.dev.cosign.simplesigning.v1+json";
    private const string ArtifactType = "application/vnd.dev.cosign.artifact.sig.v1+json";
    private const string SignatureAnnotation = "dev.cosignproject.cosign/signature";
    private const int MaxSignatures = 128;

    /// <summary>The tag under which cosign keeps an image's signatures.</summary>
    public static string TagOf(Digest manifest) => $"{manifest.Algorithm}-{manifest.Hex}.sig";

    /// <summary>Reads all signatures of a manifest. Nothing about them has been verified.</summary>
    public static async Task<IReadOnlyList<CosignSignature>> ReadAsync(RegistryRepository repository, Digest manifest, CancellationToken cancellationToken)
    {
        var signatures = new List<CosignSignature>();
        if (await repository.FindTagAsync(TagOf(manifest), cancellationToken).ConfigureAwait(false) is { } tagged)
            await ReadManifestAsync(repository, tagged, signatures, cancellationToken).ConfigureAwait(false);
        foreach (var referrer in await repository.ListReferrersAsync(manifest, cancellationToken).ConfigureAwait(false))
        {
            if (referrer.ArtifactType != ArtifactType)
                continue;
            var content = await repository.FetchManifestAsync(referrer, cancellationToken).ConfigureAwait(false);
            await ReadManifestAsync(repository, content, signatures, cancellationToken).ConfigureAwait(false);
        }

        return signatures;
    }

    /// <summary>Verifies one signature with one key.</summary>
    /// <returns>What was signed, or null if this key did not sign it.</returns>
    public static SignaturePayload? Verify(CosignSignature signature, AsymmetricAlgorithm key)
    {
        var valid = key switch
        {
            ECDsa ec => ec.VerifyData(signature.Payload, signature.Signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence),
            RSA rsa => rsa.VerifyData(signature.Payload, signature.Signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            _ => false,
        };
        return valid ? SignaturePayload.Parse(signature.Payload, SignaturePayload.CosignType) : null;
    }

    /// <summary>Reads a public key in PEM: elliptic or RSA.</summary>
    public static AsymmetricAlgorithm ReadPublicKey(ReadOnlySpan<byte> pem)
    {
        var text = System.Text.Encoding.UTF8.GetString(pem);
        foreach (var create in new Func<AsymmetricAlgorithm>[] { ECDsa.Create, RSA.Create })
        {
            var key = create();
            try
            {
                key.ImportFromPem(text);
                return key;
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                key.Dispose();
            }
        }

        throw new MalformedDataException("public key", -1, "it is no elliptic or RSA public key in PEM");
    }

    /// <summary>Signs a manifest and adds the signature to those that are there.</summary>
    /// <param name="repository">Where the image is.</param>
    /// <param name="manifest">Its manifest's digest.</param>
    /// <param name="identity">The name that is signed.</param>
    /// <param name="key">The author's key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task SignAsync(RegistryRepository repository, Digest manifest, string identity, ECDsa key, CancellationToken cancellationToken)
    {
        var payload = new SignaturePayload(manifest, identity).ToBytes(SignaturePayload.CosignType);
        var layer = new Descriptor
        {
            MediaType = LayerType,
            Digest = Digest.Of(payload),
            Size = payload.Length,
            Annotations = new Dictionary<string, string>
            {
                [SignatureAnnotation] = Convert.ToBase64String(key.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
            },
        };
        await PushAsync(repository, layer, payload, cancellationToken).ConfigureAwait(false);
        var present = await repository.FindTagAsync(TagOf(manifest), cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Descriptor> layers = [.. present is null ? [] : ImageManifest.Parse(present.Bytes.Span).Layers, layer];
        var configuration = new ImageConfiguration { Rootfs = new RootFileSystemDigests { DiffIds = [.. layers.Select(l => l.Digest)] } }.ToBytes();
        var config = new Descriptor { MediaType = MediaTypes.Configuration, Digest = Digest.Of(configuration), Size = configuration.Length };
        await PushAsync(repository, config, configuration, cancellationToken).ConfigureAwait(false);
        var content = ManifestContent.Create(
            MediaTypes.Manifest, new ImageManifest { MediaType = MediaTypes.Manifest, Config = config, Layers = layers }.ToBytes());
        await repository.PutManifestAsync(content, TagOf(manifest), cancellationToken).ConfigureAwait(false);
    }

    private static Task PushAsync(RegistryRepository repository, Descriptor blob, byte[] content, CancellationToken cancellationToken) =>
        repository.PushBlobAsync(blob, _ => Task.FromResult<Stream>(new MemoryStream(content)), cancellationToken);

    private static async Task ReadManifestAsync(
        RegistryRepository repository, ManifestContent content, List<CosignSignature> signatures, CancellationToken cancellationToken)
    {
        foreach (var layer in ImageManifest.Parse(content.Bytes.Span).Layers)
        {
            if (layer.MediaType != LayerType || layer.Size > SignaturePayload.MaxBytes || signatures.Count >= MaxSignatures
                || layer.Annotations?.GetValueOrDefault(SignatureAnnotation) is not { } text)
                continue;
            var signature = new byte[text.Length];
            if (!Convert.TryFromBase64String(text, signature, out var length))
                continue;
            var payload = await ImageReader.ReadDocumentAsync(repository, layer, "signature payload", cancellationToken).ConfigureAwait(false);
            signatures.Add(new CosignSignature(payload, signature[..length]));
        }
    }
}

/// <summary>A cosign signature as it was stored.</summary>
/// <param name="Payload">What is signed: JSON.</param>
/// <param name="Signature">The signature: DER for elliptic keys.</param>
public sealed record CosignSignature(byte[] Payload, byte[] Signature);
