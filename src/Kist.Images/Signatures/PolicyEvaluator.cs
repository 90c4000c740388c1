using System.Security.Cryptography;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Signatures;

/// <summary>Judges an image by a policy, before any of its layers is fetched or any cache is asked.</summary>
/// <param name="policy">The policy.</param>
/// <param name="keys">Where keys named by path come from.</param>
/// <param name="simpleSignatures">Where simple signatures are kept, or null if there are none.</param>
/// <param name="openPgp">Verifies simple signatures, or null where that cannot be done: then what needs one is refused.</param>
public sealed class PolicyEvaluator(
    ImagePolicy policy, IPolicyKeySource keys, ISimpleSignatureStore? simpleSignatures = null, ISimpleSignatureVerifier? openPgp = null)
{
    /// <summary>Judges an image.</summary>
    /// <param name="repository">Where the image and its cosign signatures are; its reference is the name that is judged.</param>
    /// <param name="manifests">
    /// Digests a signature may be over: that of the platform's manifest, and of the index it was chosen from, if any.
    /// </param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<PolicyVerdict> EvaluateAsync(RegistryRepository repository, IReadOnlyList<Digest> manifests, CancellationToken cancellationToken)
    {
        var findings = new List<PolicyFinding>();
        foreach (var requirement in policy.RequirementsFor(repository.Reference))
            findings.Add(await EvaluateAsync(requirement, repository, manifests, cancellationToken).ConfigureAwait(false));
        return new PolicyVerdict(findings);
    }

    private async Task<PolicyFinding> EvaluateAsync(
        PolicyRequirement requirement, RegistryRepository repository, IReadOnlyList<Digest> manifests, CancellationToken cancellationToken) => requirement switch
        {
            AcceptAnythingRequirement => new(requirement.Type, true, "the policy accepts any image here"),
            RejectRequirement => new(requirement.Type, false, "the policy refuses every image here"),
            SigstoreSignedRequirement r => await EvaluateSigstoreAsync(r, repository, manifests, cancellationToken).ConfigureAwait(false),
            SignedByRequirement r => await EvaluateSignedByAsync(r, repository.Reference, manifests, cancellationToken).ConfigureAwait(false),
            UnsupportedRequirement r => new(r.Type, false, r.Reason),
            _ => new(requirement.Type, false, "this requirement is not known"),
        };

    private async Task<PolicyFinding> EvaluateSigstoreAsync(
        SigstoreSignedRequirement requirement, RegistryRepository repository, IReadOnlyList<Digest> manifests, CancellationToken cancellationToken)
    {
        var reasons = new List<string>();
        var publicKeys = new List<AsymmetricAlgorithm>();
        try
        {
            foreach (var key in await ReadKeysAsync(requirement.Keys, cancellationToken).ConfigureAwait(false))
                publicKeys.Add(CosignSignatures.ReadPublicKey(key));
            foreach (var manifest in manifests)
            {
                foreach (var signature in await CosignSignatures.ReadAsync(repository, manifest, cancellationToken).ConfigureAwait(false))
                {
                    if (Judge(signature, publicKeys, requirement.Identity, repository.Reference, manifest) is not { } reason)
                        return new(requirement.Type, true, $"{manifest} is signed");
                    reasons.Add(reason);
                }
            }
        }
        finally
        {
            publicKeys.ForEach(k => k.Dispose());
        }

        return new(requirement.Type, false, reasons.Count == 0 ? "there is no signature" : string.Join("; ", reasons.Distinct()));
    }

    private static string? Judge(
        CosignSignature signature, List<AsymmetricAlgorithm> publicKeys, SignedIdentity identity, ImageReference image, Digest manifest)
    {
        foreach (var key in publicKeys)
        {
            try
            {
                if (CosignSignatures.Verify(signature, key) is { } payload)
                    return Judge(payload, identity, image, manifest);
            }
            catch (MalformedDataException e)
            {
                return e.Message;
            }
        }

        return "a signature is by another key, or damaged";
    }

    // Null if the payload is about this image.
    private static string? Judge(SignaturePayload payload, SignedIdentity identity, ImageReference image, Digest manifest) =>
        payload.ManifestDigest != manifest ? $"a signature is for another manifest, {payload.ManifestDigest}"
        : !identity.Matches(image, payload.Reference) ? $"a signature is for another name, '{payload.Reference}'"
        : null;

    private async Task<PolicyFinding> EvaluateSignedByAsync(
        SignedByRequirement requirement, ImageReference image, IReadOnlyList<Digest> manifests, CancellationToken cancellationToken)
    {
        if (openPgp is null || simpleSignatures is null)
            return new(requirement.Type, false, "simple signatures (OpenPGP) cannot be verified here");
        var rings = await ReadKeysAsync(requirement.Keys, cancellationToken).ConfigureAwait(false);
        var reasons = new List<string>();
        foreach (var manifest in manifests)
        {
            foreach (var signature in await simpleSignatures.ReadAsync(image, manifest, cancellationToken).ConfigureAwait(false))
            {
                var (content, reason) = openPgp.Verify(signature, rings);
                try
                {
                    reason = content is null ? reason : Judge(SignaturePayload.Parse(content, SignaturePayload.SimpleType), requirement.Identity, image, manifest);
                }
                catch (MalformedDataException e)
                {
                    reason = e.Message;
                }

                if (reason is null)
                    return new(requirement.Type, true, $"{manifest} is signed");
                reasons.Add(reason);
            }
        }

        return new(requirement.Type, false, reasons.Count == 0 ? "there is no signature" : string.Join("; ", reasons.Distinct()));
    }

    private async Task<List<byte[]>> ReadKeysAsync(IReadOnlyList<PolicyKey> listed, CancellationToken cancellationToken)
    {
        var contents = new List<byte[]>();
        foreach (var key in listed)
            contents.Add(key.Data ?? await keys.ReadAsync(key.Path!, cancellationToken).ConfigureAwait(false));
        return contents;
    }
}

/// <summary>What a policy says of an image.</summary>
/// <param name="Findings">One a requirement.</param>
public sealed record PolicyVerdict(IReadOnlyList<PolicyFinding> Findings)
{
    /// <summary>True if there are requirements and all are met.</summary>
    public bool IsAccepted => Findings.Count > 0 && Findings.All(f => f.IsMet);
}

/// <summary>How one requirement came out.</summary>
/// <param name="Requirement">Its type.</param>
/// <param name="IsMet">True if it is met.</param>
/// <param name="Reason">Why.</param>
public sealed record PolicyFinding(string Requirement, bool IsMet, string Reason);
