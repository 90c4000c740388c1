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
    private readonly SigstoreVerifier _sigstore = new(TimeProvider.System);

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
        using var trust = await ReadTrustAsync(requirement, cancellationToken).ConfigureAwait(false);
        foreach (var manifest in manifests)
        {
            foreach (var signature in await CosignSignatures.ReadAsync(repository, manifest, cancellationToken).ConfigureAwait(false))
            {
                if ((_sigstore.Verify(signature, trust) ?? Judge(signature, requirement.Identity, repository.Reference, manifest)) is not { } reason)
                    return new(requirement.Type, true, $"{manifest} is signed");
                reasons.Add(reason);
            }
        }

        return new(requirement.Type, false, reasons.Count == 0 ? "there is no signature" : string.Join("; ", reasons.Distinct()));
    }

    private async Task<SigstoreTrust> ReadTrustAsync(SigstoreSignedRequirement requirement, CancellationToken cancellationToken)
    {
        var keys = new List<AsymmetricAlgorithm>();
        foreach (var key in await ReadKeysAsync(requirement.Keys, cancellationToken).ConfigureAwait(false))
            keys.Add(CosignSignatures.ReadPublicKey(key));
        var root = requirement.Root ?? (requirement.Certificates?.TrustedRoot is { } named
            ? SigstoreTrustRoot.Parse((await ReadKeysAsync([named], cancellationToken).ConfigureAwait(false))[0])
            : null);
        IReadOnlyList<LogKey> logs = root?.Logs ?? [.. (await ReadKeysAsync(requirement.RekorKeys, cancellationToken).ConfigureAwait(false)).Select(k => LogKey.FromPem(k))];
        return new SigstoreTrust
        {
            Keys = keys,
            Logs = logs,
            TimestampAuthorities = root?.TimestampAuthorities ?? [],
            IsLogRequired = requirement.RekorKeys.Count > 0 || requirement.Certificates is { IsFulcio: true },
            Certificates = requirement.Certificates is not { } certificates ? null : new CertificateTrust
            {
                Authorities = root?.Authorities ?? [SigningAuthority.FromPem(await ReadKeysAsync(certificates.Authorities, cancellationToken).ConfigureAwait(false))],
                IsTimeVouchedFor = certificates.IsFulcio,
                CertificateLogs = root?.CertificateLogs,
                OidcIssuer = certificates.OidcIssuer,
                Email = certificates.SubjectEmail,
                Host = certificates.SubjectHostname,
                Subject = certificates.Subject,
            },
        };
    }

    private static string? Judge(CosignSignature signature, SignedIdentity identity, ImageReference image, Digest manifest)
    {
        try
        {
            if (!signature.IsStatement)
                return Judge(SignaturePayload.Parse(signature.Payload, SignaturePayload.CosignType), identity, image, manifest);
            if (!SignedStatement.Parse(signature.Payload).Contains(manifest))
                return "a signature is for another manifest";

            // What was signed is the content alone: it is the same image under every name.
            return identity.AcceptsUnnamed ? null : "a signature names no repository, and the policy demands one (signedIdentity)";
        }
        catch (MalformedDataException e)
        {
            return e.Message;
        }
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
