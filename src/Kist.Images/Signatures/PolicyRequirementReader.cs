using System.Text;
using System.Text.Json;

namespace Kist.Images.Signatures;

/// <summary>Reads requirements (containers-policy.json(5), POLICY REQUIREMENTS).</summary>
static class PolicyRequirementReader
{
    private static readonly string[] s_keySources = ["keyPath", "keyPaths", "keyData", "keyDatas"];
    private static readonly string[] s_rekorSources = ["rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"];

    public static IReadOnlyList<PolicyRequirement> ReadList(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() == 0)
            throw PolicyJson.Malformed("requirements must be a list that is not empty: write \"reject\" to refuse");
        return [.. json.EnumerateArray().Select(Read)];
    }

    private static PolicyRequirement Read(JsonElement json)
    {
        switch (PolicyJson.Text(json, "type"))
        {
            case "insecureAcceptAnything":
                PolicyJson.Only(json, "type");
                return new AcceptAnythingRequirement();
            case "reject":
                PolicyJson.Only(json, "type");
                return new RejectRequirement();
            case "signedBy":
                return ReadSignedBy(json);
            case "sigstoreSigned":
                return ReadSigstore(json);
            case "signedBaseLayer":
                return new UnsupportedRequirement("signedBaseLayer", "no implementation of this requirement exists anywhere");
            case var type:
                throw PolicyJson.Malformed($"the requirement '{type}' is not known");
        }
    }

    private static PolicyRequirement ReadSignedBy(JsonElement json)
    {
        PolicyJson.Only(json, "type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity");
        var keyType = PolicyJson.Text(json, "keyType");
        if (keyType is "signedByGPGKeys" or "X509Certificates" or "signedByX509CAs")
            return new UnsupportedRequirement("signedBy", $"keys of the type '{keyType}' are defined but implemented nowhere");
        if (keyType != "GPGKeys")
            throw PolicyJson.Malformed($"the keyType '{keyType}' is not known");
        return new SignedByRequirement(ReadKeys(json, s_keySources, Base64), ReadIdentity(json));
    }

    private static SigstoreSignedRequirement ReadSigstore(JsonElement json)
    {
        PolicyJson.Only(
            json, "type", "keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki", "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData",
            "rekorPublicKeyDatas", "signedIdentity");
        var certificates = json.TryGetProperty("fulcio", out var fulcio) ? ReadFulcio(fulcio) : json.TryGetProperty("pki", out var pki) ? ReadPki(pki) : null;
        if (s_keySources.Append("fulcio").Append("pki").Count(n => json.TryGetProperty(n, out _)) != 1)
            throw PolicyJson.Malformed("exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio and pki is needed");
        var logs = s_rekorSources.Any(n => json.TryGetProperty(n, out _)) ? ReadKeys(json, s_rekorSources, PemOrBase64) : [];
        if (certificates?.TrustedRoot is not null && logs.Count > 0)
            throw PolicyJson.Malformed("a trusted root names the transparency logs itself");
        if (certificates is { IsFulcio: true, TrustedRoot: null } && logs.Count == 0)
            throw PolicyJson.Malformed("fulcio needs the key of a transparency log: without one nothing says when a signature was made");
        if (certificates is { IsFulcio: false } && logs.Count > 0)
            throw PolicyJson.Malformed("pki cannot be used with the key of a transparency log");
        return new SigstoreSignedRequirement(certificates is null ? ReadKeys(json, s_keySources, PemOrBase64) : [], ReadIdentity(json)) { Certificates = certificates, RekorKeys = logs };
    }

    // trustedRootPath, trustedRootData and subject are our own: containers/image has single authorities and addresses only, and
    // refuses a policy with them.
    private static CertificateRequirement ReadFulcio(JsonElement json)
    {
        PolicyJson.Only(json, "caPath", "caData", "trustedRootPath", "trustedRootData", "oidcIssuer", "subjectEmail", "subject");
        var hasRoot = json.TryGetProperty("trustedRootPath", out _) || json.TryGetProperty("trustedRootData", out _);
        var hasAuthority = json.TryGetProperty("caPath", out _) || json.TryGetProperty("caData", out _);
        if (hasRoot && hasAuthority)
            throw PolicyJson.Malformed("a trusted root names the authorities itself");
        var keys = ReadKeys(json, hasRoot ? ["trustedRootPath", "", "trustedRootData", ""] : ["caPath", "", "caData", ""], PemOrBase64);
        var (email, subject) = (PolicyJson.Text(json, "subjectEmail"), PolicyJson.Text(json, "subject"));
        if (email is null == subject is null)
            throw PolicyJson.Malformed("exactly one of subjectEmail and subject is needed");
        return new CertificateRequirement
        {
            IsFulcio = true,
            Authorities = hasRoot ? [] : keys,
            TrustedRoot = hasRoot ? keys[0] : null,
            OidcIssuer = PolicyJson.Text(json, "oidcIssuer") ?? throw PolicyJson.Malformed("oidcIssuer is missing"),
            SubjectEmail = email,
            Subject = subject,
        };
    }

    private static CertificateRequirement ReadPki(JsonElement json)
    {
        PolicyJson.Only(json, "caRootsPath", "caRootsData", "caIntermediatesPath", "caIntermediatesData", "subjectEmail", "subjectHostname");
        var intermediates = json.TryGetProperty("caIntermediatesPath", out _) || json.TryGetProperty("caIntermediatesData", out _)
            ? ReadKeys(json, ["caIntermediatesPath", "", "caIntermediatesData", ""], PemOrBase64)
            : [];
        var (email, host) = (PolicyJson.Text(json, "subjectEmail"), PolicyJson.Text(json, "subjectHostname"));
        return email is null && host is null
            ? throw PolicyJson.Malformed("pki needs subjectEmail or subjectHostname")
            : new CertificateRequirement
            {
                Authorities = [.. ReadKeys(json, ["caRootsPath", "", "caRootsData", ""], PemOrBase64), .. intermediates],
                SubjectEmail = email,
                SubjectHostname = host,
            };
    }

    // The names of a path, of paths, of data and of datas.
    private static List<PolicyKey> ReadKeys(JsonElement json, string[] names, Func<string, byte[]> decode)
    {
        if (names.Count(n => json.TryGetProperty(n, out _)) != 1)
            throw PolicyJson.Malformed($"exactly one of {string.Join(", ", names.Where(n => n.Length > 0))} is needed");
        var keys = new List<PolicyKey>();
        if (PolicyJson.Text(json, names[0]) is { } path)
            keys.Add(new PolicyKey(path, null));
        if (PolicyJson.Text(json, names[2]) is { } data)
            keys.Add(new PolicyKey(null, decode(data)));
        keys.AddRange(PolicyJson.Texts(json, names[1]).Select(p => new PolicyKey(p, null)));
        keys.AddRange(PolicyJson.Texts(json, names[3]).Select(d => new PolicyKey(null, decode(d))));
        return keys;
    }

    // CoCo's documents say base64, its code takes PEM text; containers/image takes base64.
    private static byte[] PemOrBase64(string text) =>
        text.TrimStart().StartsWith("-----BEGIN", StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(text) : Base64(text);

    private static byte[] Base64(string text)
    {
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            throw PolicyJson.Malformed("keyData is no base64");
        }
    }

    private static SignedIdentity ReadIdentity(JsonElement json)
    {
        if (!json.TryGetProperty("signedIdentity", out var identity))
            return SignedIdentity.MatchRepoDigestOrExact;
        string Required(string name) => PolicyJson.Text(identity, name) ?? throw PolicyJson.Malformed($"{name} is missing");
        switch (PolicyJson.Text(identity, "type"))
        {
            case "matchExact":
                PolicyJson.Only(identity, "type");
                return SignedIdentity.MatchExact;
            case "matchRepoDigestOrExact":
                PolicyJson.Only(identity, "type");
                return SignedIdentity.MatchRepoDigestOrExact;
            case "matchRepository":
                PolicyJson.Only(identity, "type");
                return SignedIdentity.MatchRepository;
            case "matchDigest":
                // Our own: what was signed is the content, under whatever name. Bundles of cosign 3 name no repository.
                PolicyJson.Only(identity, "type");
                return SignedIdentity.AnyName;
            case "exactReference":
                PolicyJson.Only(identity, "type", "dockerReference");
                return SignedIdentity.ExactReference(Required("dockerReference"));
            case "exactRepository":
                PolicyJson.Only(identity, "type", "dockerRepository");
                return SignedIdentity.ExactRepository(Required("dockerRepository"));
            case "remapIdentity":
                PolicyJson.Only(identity, "type", "prefix", "signedPrefix");
                return SignedIdentity.Remap(Required("prefix"), Required("signedPrefix"));
            case var type:
                throw PolicyJson.Malformed($"the identity '{type}' is not known");
        }
    }
}
