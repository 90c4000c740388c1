using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Macs;
using Org.BouncyCastle.Crypto.Parameters;

namespace Kist.Images.Signatures;

/// <summary>
/// Private keys for signing: PKCS #8 or SEC 1 in PEM, and those that "cosign generate-key-pair" locks with a passphrase (PKCS #8
/// in NaCl's secretbox, under scrypt). For the host only.
/// </summary>
public static class CosignPrivateKey
{
    private const string Structure = "cosign private key";
    private const int MaxBytes = 64 * 1024;
    private const int MaxScryptCost = 1 << 20;
    private const int NonceSize = 24, TagSize = 16, KeySize = 32;

    /// <summary>Reads a key.</summary>
    /// <param name="pem">The file.</param>
    /// <param name="passphrase">What it is locked with; empty if it is not. It stays the caller's.</param>
    /// <exception cref="OperationFailedException">The passphrase is wrong or missing.</exception>
    public static ECDsa Read(ReadOnlySpan<byte> pem, ReadOnlySpan<byte> passphrase)
    {
        if (pem.Length > MaxBytes)
            throw new MalformedDataException(Structure, -1, "it is too large");
        var text = Encoding.UTF8.GetString(pem);
        var key = ECDsa.Create();
        try
        {
            if (PemEncoding.TryFind(text, out var fields) && text[fields.Label] is "ENCRYPTED SIGSTORE PRIVATE KEY" or "ENCRYPTED COSIGN PRIVATE KEY")
            {
                using var plain = Unlock(Convert.FromBase64String(text[fields.Base64Data]), passphrase);
                key.ImportPkcs8PrivateKey(plain.Span, out _);
            }
            else
            {
                key.ImportFromPem(text);
            }

            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new MalformedDataException(Structure, -1, "it is no elliptic-curve private key in PEM", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private static SecretBytes Unlock(byte[] json, ReadOnlySpan<byte> passphrase)
    {
        using var document = StrictJson.ParseObject(json, MaxBytes, Structure, maxDepth: 8);
        var (kdf, cipher) = (Member(document.RootElement, "kdf"), Member(document.RootElement, "cipher"));
        if (StrictJson.RequiredText(kdf, "name", Structure) != "scrypt" || StrictJson.RequiredText(cipher, "name", Structure) != "nacl/secretbox")
            throw new MalformedDataException(Structure, -1, "it is locked in a way that is not known");
        var parameters = Member(kdf, "params");
        var (n, r, p) = (Number(parameters, "N"), Number(parameters, "r"), Number(parameters, "p"));
        if (n is < 2 or > MaxScryptCost || r is < 1 or > 32 || p is < 1 or > 16)
            throw new MalformedDataException(Structure, -1, "its scrypt parameters are out of bounds");
        using var secret = SecretBytes.CopyOf(SCrypt.Generate(passphrase.ToArray(), Base64(kdf, "salt"), n, r, p, KeySize));
        return OpenBox(Base64(document.RootElement, "ciphertext"), Base64(cipher, "nonce"), secret.Span);
    }

    // XSalsa20-Poly1305: the stream's first 32 bytes are the authenticator's key; tag, then ciphertext.
    private static SecretBytes OpenBox(byte[] box, byte[] nonce, ReadOnlySpan<byte> key)
    {
        if (nonce.Length != NonceSize || box.Length < TagSize)
            throw new MalformedDataException(Structure, -1, "its box is too short");
        var stream = new XSalsa20Engine();
        stream.Init(forEncryption: false, new ParametersWithIV(new KeyParameter(key), nonce));
        var authenticatorKey = new byte[KeySize];
        stream.ProcessBytes(authenticatorKey, authenticatorKey);
        var authenticator = new Poly1305();
        authenticator.Init(new KeyParameter(authenticatorKey));
        authenticator.BlockUpdate(box.AsSpan(TagSize));
        var tag = new byte[TagSize];
        authenticator.DoFinal(tag);
        if (!CryptographicOperations.FixedTimeEquals(tag, box.AsSpan(0, TagSize)))
            throw new OperationFailedException("open private key", "cosign.key", "the passphrase is wrong or missing", "set COSIGN_PASSWORD, or give --passphrase-file FILE");
        var plain = new SecretBytes(box.Length - TagSize);
        stream.ProcessBytes(box.AsSpan(TagSize), plain.Span);
        return plain;
    }

    private static JsonElement Member(JsonElement json, string name) => json.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Object
        ? member
        : throw new MalformedDataException(Structure, -1, $"the object '{name}' is missing");

    private static int Number(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
        ? number
        : throw new MalformedDataException(Structure, -1, $"'{name}' is missing or no number");

    private static byte[] Base64(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out var bytes)
        ? bytes
        : throw new MalformedDataException(Structure, -1, $"'{name}' is missing or no base64");
}
