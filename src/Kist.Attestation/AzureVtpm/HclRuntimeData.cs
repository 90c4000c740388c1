using System.Security.Cryptography;
using System.Text.Json;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.AzureVtpm;

/// <summary>The JSON document that the paravisor binds into the hardware report: the vTPM's keys and the machine's set-up.</summary>
/// <param name="AttestationKey">The key "HCLAkPub" as SubjectPublicKeyInfo.</param>
/// <param name="UserData">"user-data", which the guest set; empty if the document has none.</param>
/// <param name="Configuration">"vm-configuration"; null if the document has none.</param>
internal sealed record HclRuntimeData(byte[] AttestationKey, byte[] UserData, JsonElement? Configuration)
{
    private const string Structure = "HCL runtime data";
    private const string AttestationKeyId = "HCLAkPub";
    private const int KeyLimit = 16;

    public PublicKey? Key => PublicKey.Parse(AttestationKey);

    public static HclRuntimeData Parse(ReadOnlySpan<byte> json)
    {
        using var document = StrictJson.ParseObject(json, 64 * 1024, Structure);
        var root = document.RootElement;
        var userData = EvidenceJson.Optional(root, "user-data", Structure) is null
            ? [] : EvidenceJson.RequireHex(root, "user-data", Structure);
        return new HclRuntimeData(FindKey(root), userData, EvidenceJson.Optional(root, "vm-configuration", Structure)?.Clone());
    }

    private static byte[] FindKey(JsonElement root)
    {
        var keys = EvidenceJson.Require(root, "keys", Structure);
        if (keys.ValueKind != JsonValueKind.Array || keys.GetArrayLength() > KeyLimit)
            throw new MalformedDataException(Structure, -1, $"keys must be an array of at most {KeyLimit}");
        byte[]? found = null;
        foreach (var key in keys.EnumerateArray())
        {
            if (EvidenceJson.RequireString(key, "kid", Structure) != AttestationKeyId)
                continue;
            if (found is not null)
                throw new MalformedDataException(Structure, -1, $"{AttestationKeyId} occurs twice");
            found = ReadRsa(key);
        }

        return found ?? throw new MalformedDataException(Structure, -1, $"there is no key {AttestationKeyId}");
    }

    private static byte[] ReadRsa(JsonElement key)
    {
        if (EvidenceJson.RequireString(key, "kty", Structure) != "RSA")
            throw new MalformedDataException(Structure, -1, $"{AttestationKeyId} is not RSA");
        var (modulus, exponent) = (EvidenceJson.RequireBase64Url(key, "n", Structure), EvidenceJson.RequireBase64Url(key, "e", Structure));
        // The platform's import reads the first bytes without looking.
        if (modulus.Length == 0 || exponent.Length == 0)
            throw new MalformedDataException(Structure, -1, $"{AttestationKeyId} has no modulus or no exponent");
        try
        {
            using var rsa = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
            return rsa.ExportSubjectPublicKeyInfo();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new MalformedDataException(Structure, -1, $"{AttestationKeyId} is not a usable RSA key", e);
        }
    }
}
