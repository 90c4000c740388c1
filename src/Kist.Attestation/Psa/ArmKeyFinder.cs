using System.Security.Cryptography;
using Kist.Attestation.X509;

namespace Kist.Attestation.Psa;

/// <summary>
/// Finds the key that verifies a PSA or CCA platform token. Tokens do not carry it: it is given beside the evidence (PEM
/// public key, or certificates) or lies in the collateral under the device's instance id, and is believed only if its hash
/// is a trust anchor, or it is certified below one.
/// </summary>
internal static class ArmKeyFinder
{
    public static PublicKey? Find(
        string prefix, string vendor, ReadOnlySpan<byte> instanceId, Evidence evidence, VerificationOptions options, VerdictBuilder verdict)
    {
        var name = Convert.ToHexStringLower(instanceId);
        var given = evidence.Certificates.IsEmpty
            ? options.Collateral.Find(new CollateralKey(CollateralKey.ArmPlatformKey, name)) : evidence.Certificates;
        if (given is not { } bytes)
        {
            verdict.Fail($"{prefix}.anchor", "there is no key to verify the platform's signature with", $"the public key of instance {name}",
                "none beside the evidence, and none in the collateral",
                "give the device maker's public key of this platform, and pin it as a trust anchor", "RFC 9783 section 5.1");
            return null;
        }

        if (bytes.Span.IndexOf("-----BEGIN PUBLIC KEY-----"u8) >= 0)
            return Pinned(prefix, vendor, PemReader.ReadSingle(bytes.Span, "PUBLIC KEY"), options, verdict);
        var certificates = PemReader.ReadCertificates(bytes);
        ChainVerifier.Verify(verdict, prefix, EndEntityPath.From(certificates[0], certificates), vendor, options);
        return certificates[0].Key;
    }

    private static PublicKey? Pinned(
        string prefix, string vendor, ReadOnlyMemory<byte> spki, VerificationOptions options, VerdictBuilder verdict)
    {
        var hash = SHA256.HashData(spki.Span);
        var anchor = options.Anchors.Find(vendor, hash);
        verdict.IsSimulated |= anchor is { IsSimulated: true };
        verdict.Check($"{prefix}.anchor", anchor is not null, "the platform's key must be pinned: nothing in the token vouches for it",
            $"a trust anchor of vendor {vendor}", anchor?.Name ?? $"key SHA-256 {Convert.ToHexStringLower(hash)}",
            "pin the key after checking with the device's maker whose it is", "RFC 9783 section 5.1");
        return PublicKey.Parse(spki.Span);
    }
}
