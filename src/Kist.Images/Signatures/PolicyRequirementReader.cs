using System.Text;
using System.Text.Json;

namespace Kist.Images.Signatures;

/// <summary>Reads requirements (containers-policy.json(5), POLICY REQUIREMENTS).</summary>
static class PolicyRequirementReader
{
    private static readonly string[] s_keySources = ["keyPath", "keyPaths", "keyData", "keyDatas"];

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
        return new SignedByRequirement(ReadKeys(json, Base64), ReadIdentity(json));
    }

    private static PolicyRequirement ReadSigstore(JsonElement json)
    {
        PolicyJson.Only(
            json, "type", "keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki", "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData",
            "rekorPublicKeyDatas", "signedIdentity");
        if (json.TryGetProperty("fulcio", out _) || json.TryGetProperty("pki", out _))
            return new UnsupportedRequirement("sigstoreSigned", "keyless signatures (Fulcio, PKI) cannot be verified here");
        if (json.EnumerateObject().Any(m => m.Name.StartsWith("rekor", StringComparison.Ordinal)))
            return new UnsupportedRequirement("sigstoreSigned", "entries of the transparency log (Rekor) cannot be verified here");
        return new SigstoreSignedRequirement(ReadKeys(json, PemOrBase64), ReadIdentity(json));
    }

    private static List<PolicyKey> ReadKeys(JsonElement json, Func<string, byte[]> decode)
    {
        var sources = s_keySources.Count(n => json.TryGetProperty(n, out _));
        if (sources != 1)
            throw PolicyJson.Malformed("exactly one of keyPath, keyPaths and keyData is needed");
        var keys = new List<PolicyKey>();
        if (PolicyJson.Text(json, "keyPath") is { } path)
            keys.Add(new PolicyKey(path, null));
        if (PolicyJson.Text(json, "keyData") is { } data)
            keys.Add(new PolicyKey(null, decode(data)));
        keys.AddRange(PolicyJson.Texts(json, "keyPaths").Select(p => new PolicyKey(p, null)));
        keys.AddRange(PolicyJson.Texts(json, "keyDatas").Select(d => new PolicyKey(null, decode(d))));
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
