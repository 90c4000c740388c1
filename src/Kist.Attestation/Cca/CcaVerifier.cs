using System.Security.Cryptography;
using Kist.Attestation.Cose;
using Kist.Attestation.Psa;

namespace Kist.Attestation.Cca;

/// <summary>
/// Judges a CCA token: the platform's key signs the platform token, which names the realm's key by its hash; the realm's key
/// signs the realm token.
/// </summary>
internal static class CcaVerifier
{
    public const string Spec = "Arm DEN0137 (RMM) section A7.2";

    public static void Verify(ReadOnlyMemory<byte> bytes, Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        var token = CcaToken.Parse(bytes);
        verdict.Claims = new CcaClaims(token.Platform, token.Realm);
        CheckPlatform(token, evidence, options, verdict);
        CheckRealm(token, verdict);
        ArmLifecycle.Check(token.Platform.Lifecycle, "cca.platform.lifecycle", Spec, verdict);
        BindingCheck.ReportData(verdict, binding.ReportData, token.Realm.Challenge.Span);
        BindingCheck.InitData(verdict, binding.InitDataDigest, token.Realm.PersonalizationValue.Span, "the realm personalization value");
    }

    private static void CheckPlatform(CcaToken token, Evidence evidence, VerificationOptions options, VerdictBuilder verdict)
    {
        var key = ArmKeyFinder.Find("cca.platform.key", "arm", token.Platform.InstanceId.Span, evidence, options, verdict);
        if (key is null)
            return;
        var holds = token.PlatformMessage.Verify(key);
        verdict.Check("cca.platform.signature", holds, "the platform token must be signed with the platform's key (CPAK)",
            "a signature by the given key", holds ? $"verifies ({token.PlatformMessage.AlgorithmName})" : $"does not verify ({token.PlatformMessage.AlgorithmName})",
            "the token was changed, or is of another platform: ask for it again", CoseSign1.Spec);
    }

    private static void CheckRealm(CcaToken token, VerdictBuilder verdict)
    {
        var realm = token.Realm;
        var hash = RealmKey.Hash(realm.PublicKey.Span, realm.PublicKeyHashAlgorithm);
        verdict.Check("cca.realm.key_binding",
            hash is not null && CryptographicOperations.FixedTimeEquals(hash, token.Platform.Challenge.Span),
            "the platform token must name the realm's key by its hash, so that both tokens are of one platform",
            hash is null ? "sha-256, sha-384 or sha-512" : Convert.ToHexStringLower(hash),
            hash is null ? realm.PublicKeyHashAlgorithm : Convert.ToHexStringLower(token.Platform.Challenge.Span),
            "the two tokens do not belong together: ask for both again", $"{Spec}.3.1");
        var key = RealmKey.Parse(realm.PublicKey);
        var holds = key is not null && token.RealmMessage.Verify(key);
        verdict.Check("cca.realm.signature", holds, "the realm token must be signed with the realm's key (RAK)", "a signature by the key in the token",
            key is null ? "the key is of no known kind" : holds ? $"verifies ({token.RealmMessage.AlgorithmName})" : $"does not verify ({token.RealmMessage.AlgorithmName})",
            "the token was changed: ask for it again", CoseSign1.Spec);
    }
}
