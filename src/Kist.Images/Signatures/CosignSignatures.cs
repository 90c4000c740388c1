using System.Security.Cryptography;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Signatures;

/// <summary>
/// Cosign's signatures as a registry keeps them (cosign specs/SIGNATURE_SPEC.md and BUNDLE_SPEC.md). Each is a layer of a
/// manifest: its blob the payload and its annotations the signature and what proves it, or its blob a bundle of all that. The
/// manifest is found under the tag "sha256-HEX.sig" and, since OCI 1.1, among the referrers.
/// </summary>
public static partial class CosignSignatures
{
    private const string LayerType = "application/vnd.dev.cosign.simplesigning.v1+json";
    private const string ArtifactType = "application/vnd.dev.cosign.artifact.sig.v1+json";
    private const string SignatureAnnotation = "dev.cosignproject.cosign/signature";
    private const string CertificateAnnotation = "dev.sigstore.cosign/certificate";
    private const string ChainAnnotation = "dev.sigstore.cosign/chain";
    private const string LogAnnotation = "dev.sigstore.cosign/bundle";
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
            if (signatures.Count >= MaxSignatures || !MayBeSignature(referrer.ArtifactType))
                continue;
            var content = await repository.FetchManifestAsync(referrer, cancellationToken).ConfigureAwait(false);
            await ReadManifestAsync(repository, content, signatures, cancellationToken).ConfigureAwait(false);
        }

        return signatures;
    }

    /// <summary>Verifies one signature with one key.</summary>
    /// <returns>What was signed, or null if this key did not sign it.</returns>
    public static SignaturePayload? Verify(CosignSignature signature, AsymmetricAlgorithm key) =>
        SigstoreVerifier.IsSignedBy(signature, key) ? SignaturePayload.Parse(signature.Payload, SignaturePayload.CosignType) : null;

    /// <summary>Reads a public key in PEM: elliptic, RSA or Ed25519.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static AsymmetricAlgorithm ReadPublicKey(ReadOnlySpan<byte> pem) => PublicKeyReader.ReadPem(pem);

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

    /// <summary>Signs a manifest with a bundle that refers to it, as cosign does since version 3. It names no repository.</summary>
    public static async Task SignByBundleAsync(RegistryRepository repository, ManifestContent manifest, ECDsa key, CancellationToken cancellationToken)
    {
        var statement = SignedStatement.Write(manifest.Digest);
        var signature = key.SignData(SigstoreBundle.Encode(statement), key.KeySize == 384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        var bundle = SigstoreBundle.Write(statement, signature, Convert.ToBase64String(SHA256.HashData(key.ExportSubjectPublicKeyInfo())));
        var layer = new Descriptor { MediaType = SigstoreBundle.MediaType, Digest = Digest.Of(bundle), Size = bundle.Length };
        await PushAsync(repository, layer, bundle, cancellationToken).ConfigureAwait(false);
        var empty = "{}"u8.ToArray();
        var config = new Descriptor { MediaType = MediaTypes.Empty, Digest = Digest.Of(empty), Size = empty.Length };
        await PushAsync(repository, config, empty, cancellationToken).ConfigureAwait(false);
        var referrer = new ImageManifest
        {
            MediaType = MediaTypes.Manifest,
            ArtifactType = SigstoreBundle.MediaType,
            Config = config,
            Layers = [layer],
            Subject = manifest.Descriptor,
            Annotations = new Dictionary<string, string>
            {
                ["dev.sigstore.bundle.content"] = "dsse-envelope",
                ["dev.sigstore.bundle.predicateType"] = SignedStatement.CosignPredicate,
            },
        };
        await repository.PutReferrerAsync(ManifestContent.Create(MediaTypes.Manifest, referrer.ToBytes()), cancellationToken).ConfigureAwait(false);
    }

    private static Task PushAsync(RegistryRepository repository, Descriptor blob, byte[] content, CancellationToken cancellationToken) =>
        repository.PushBlobAsync(blob, _ => Task.FromResult<Stream>(new MemoryStream(content)), cancellationToken);

    // cosign 3 writes the type of its configuration into the fallback list, which is the empty one.
    private static bool MayBeSignature(string? artifactType) => artifactType is null or ArtifactType or MediaTypes.Empty
        || artifactType.StartsWith(SigstoreBundle.MediaTypePrefix, StringComparison.Ordinal);

    private static async Task ReadManifestAsync(
        RegistryRepository repository, ManifestContent content, List<CosignSignature> signatures, CancellationToken cancellationToken)
    {
        if (!MediaTypes.IsManifest(content.MediaType))
            return;
        foreach (var layer in ImageManifest.Parse(content.Bytes.Span).Layers)
        {
            if (signatures.Count >= MaxSignatures)
                return;
            if (await ReadLayerAsync(repository, layer, cancellationToken).ConfigureAwait(false) is { } signature)
                signatures.Add(signature);
        }
    }

    // Null for what is no signature, or a damaged one: others may count.
    private static async Task<CosignSignature?> ReadLayerAsync(RegistryRepository repository, Descriptor layer, CancellationToken cancellationToken)
    {
        try
        {
            if (layer.MediaType.StartsWith(SigstoreBundle.MediaTypePrefix, StringComparison.Ordinal) && layer.Size <= SigstoreBundle.MaxBytes)
                return SigstoreBundle.Parse(await ImageReader.ReadDocumentAsync(repository, layer, "Sigstore bundle", cancellationToken).ConfigureAwait(false));
            if (layer.MediaType != LayerType || layer.Size > SignaturePayload.MaxBytes || layer.Annotations?.GetValueOrDefault(SignatureAnnotation) is not { } text)
                return null;
            var payload = await ImageReader.ReadDocumentAsync(repository, layer, "signature payload", cancellationToken).ConfigureAwait(false);
            return FromAnnotations(payload, text, layer.Annotations);
        }
        catch (MalformedDataException)
        {
            return null;
        }
    }
}
