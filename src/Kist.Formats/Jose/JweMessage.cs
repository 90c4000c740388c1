using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Kist.Formats.Jose;

/// <summary>
/// A received JSON Web Encryption (RFC 7516) in the flattened or general JSON form or the compact one, with AES-GCM
/// content encryption. It is parsed first and decrypted with whatever key the caller has.
/// </summary>
public sealed class JweMessage
{
    /// <summary>Largest message text in bytes.</summary>
    public const int MaxTextBytes = 16 * 1024 * 1024;

    /// <summary>Most recipients in one message.</summary>
    public const int MaxRecipients = 256;

    internal const int MaxEncryptedKeyBytes = 1024;
    internal const int MaxPartyBytes = 1024;
    private const int MaxHeaderBytes = 64 * 1024;
    private const string Structure = "JSON Web Encryption";
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly byte[] _associatedData;
    private readonly byte[] _nonce;
    private readonly byte[] _ciphertext;
    private readonly byte[] _tag;

    private JweMessage(
        string encryption, IReadOnlyList<JweRecipient> recipients, byte[] associatedData, byte[] nonce, byte[] ciphertext, byte[] tag)
    {
        Encryption = encryption;
        Recipients = recipients;
        _associatedData = associatedData;
        _nonce = nonce;
        _ciphertext = ciphertext;
        _tag = tag;
    }

    /// <summary>The "enc" header: A128GCM, A192GCM or A256GCM.</summary>
    public string Encryption { get; }

    /// <summary>Who can decrypt it; at least one.</summary>
    public IReadOnlyList<JweRecipient> Recipients { get; }

    /// <summary>Parses either JSON form (RFC 7516 section 7.2).</summary>
    /// <exception cref="MalformedDataException">Not a JWE, beyond a limit, or with an encryption that is not AES-GCM.</exception>
    public static JweMessage Parse(ReadOnlySpan<byte> utf8Json)
    {
        using var document = StrictJson.ParseObject(utf8Json, MaxTextBytes, Structure, maxDepth: 16);
        return Parse(document.RootElement);
    }

    /// <summary>Parses the compact form (RFC 7516 section 7.1).</summary>
    /// <exception cref="MalformedDataException">Not a JWE, beyond a limit, or with an encryption that is not AES-GCM.</exception>
    public static JweMessage ParseCompact(string text)
    {
        if (text.Length > MaxTextBytes)
            throw Malformed($"{text.Length} characters are more than the limit of {MaxTextBytes}");
        var parts = text.Split('.', 6);
        if (parts.Length != 5)
            throw Malformed("the compact form has five parts");
        using var header = ParseProtected(parts[0]);
        return Build(parts[0], header.RootElement, null, [(null, parts[1])], parts[2], parts[3], parts[4], null);
    }

    /// <summary>Decrypts with an RSA private key (RSA-OAEP or RSA-OAEP-256).</summary>
    /// <exception cref="CryptographicException">No recipient has this key, or the message was changed.</exception>
    public SecretBytes Decrypt(RSA privateKey) => Decrypt(recipient =>
    {
        var padding = recipient.Algorithm switch
        {
            JweAlgorithms.RsaOaep => RSAEncryptionPadding.OaepSHA1,
            JweAlgorithms.RsaOaep256 => RSAEncryptionPadding.OaepSHA256,
            _ => null,
        };
        if (padding is null || recipient.EncryptedKey.Length != (privateKey.KeySize + 7) / 8)
            return null;
        byte[]? key = null;
        try
        {
            key = privateKey.Decrypt(recipient.EncryptedKey.Span, padding);
            return SecretBytes.CopyOf(key);
        }
        catch (CryptographicException)
        {
            // Another recipient's key of the same size.
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    });

    /// <summary>Decrypts with an elliptic-curve private key (ECDH-ES with AES key wrap).</summary>
    /// <exception cref="CryptographicException">No recipient has this key, or the message was changed.</exception>
    public SecretBytes Decrypt(ECDiffieHellman privateKey)
    {
        var curve = EcCurveInfo.NameOf(privateKey.KeySize);
        return Decrypt(recipient =>
        {
            var size = JweAlgorithms.WrappingKeySize(recipient.Algorithm);
            if (size == 0 || recipient.EphemeralKey is not { } ephemeral || ephemeral.Curve != curve)
                return null;
            using var wrappingKey = new SecretBytes(size);
            EcdhEs.Agree(privateKey, ephemeral, recipient.Algorithm, recipient.PartyU, recipient.PartyV, wrappingKey.Span);
            return AesKeyWrap.Unwrap(wrappingKey.Span, recipient.EncryptedKey.Span);
        });
    }

    internal static MalformedDataException Malformed(string reason) => new(Structure, -1, reason);

    private SecretBytes Decrypt(Func<JweRecipient, SecretBytes?> contentKeyOf)
    {
        foreach (var recipient in Recipients)
        {
            using var contentKey = contentKeyOf(recipient);
            if (contentKey is null || contentKey.Length != JweAlgorithms.ContentKeySize(Encryption))
                continue;
            var plaintext = new SecretBytes(_ciphertext.Length);
            try
            {
                using var gcm = new AesGcm(contentKey.Span, TagBytes);
                gcm.Decrypt(_nonce, _ciphertext, _tag, plaintext.Span, _associatedData);
                return plaintext;
            }
            catch (AuthenticationTagMismatchException)
            {
                plaintext.Dispose();
                throw new CryptographicException("the JWE was changed after it was encrypted: its tag does not match");
            }
        }

        throw new CryptographicException("no recipient of the JWE has this key, or its encrypted key was changed");
    }

    private static JweMessage Parse(JsonElement json)
    {
        var protectedText = Text(json, "protected") ?? throw Malformed("there is no \"protected\" header");
        using var header = ParseProtected(protectedText);
        var recipients = new List<(JsonElement? Header, string EncryptedKey)>();
        if (json.TryGetProperty("recipients", out var list))
        {
            if (json.TryGetProperty("encrypted_key", out _) || json.TryGetProperty("header", out _))
                throw Malformed("\"recipients\" excludes \"header\" and \"encrypted_key\"");
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > MaxRecipients)
                throw Malformed($"\"recipients\" must be an array of 1 to {MaxRecipients}");
            foreach (var item in list.EnumerateArray())
                recipients.Add(RecipientOf(item));
        }
        else
        {
            recipients.Add(RecipientOf(json));
        }

        return Build(
            protectedText, header.RootElement, Header(json, "unprotected"), recipients,
            Text(json, "iv"), Text(json, "ciphertext"), Text(json, "tag"), Text(json, "aad"));
    }

    private static (JsonElement? Header, string EncryptedKey) RecipientOf(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object
            ? (Header(json, "header"), Text(json, "encrypted_key") ?? throw Malformed("a recipient has no \"encrypted_key\""))
            : throw Malformed("a recipient must be an object");

    private static JweMessage Build(
        string protectedText,
        JsonElement protectedHeader,
        JsonElement? sharedHeader,
        List<(JsonElement? Header, string EncryptedKey)> recipients,
        string? iv,
        string? ciphertext,
        string? tag,
        string? aad)
    {
        // What is not integrity protected must not choose the content encryption, and "zip" and "crit" change its meaning.
        var encryption = Text(protectedHeader, "enc") ?? throw Malformed("the protected header has no \"enc\"");
        if (JweAlgorithms.ContentKeySize(encryption) == 0)
            throw Malformed("the content encryption is not AES-GCM");
        if (protectedHeader.TryGetProperty("zip", out _) || protectedHeader.TryGetProperty("crit", out _))
            throw Malformed("\"zip\" and \"crit\" are not supported");

        var parsed = new List<JweRecipient>(recipients.Count);
        foreach (var (own, encryptedKey) in recipients)
        {
            List<JsonElement> headers = [protectedHeader];
            if (sharedHeader is { } shared)
                headers.Add(shared);
            if (own is { } mine)
                headers.Add(mine);
            parsed.Add(JweRecipient.Create(headers.ToArray(), encryptedKey));
        }

        return new JweMessage(
            encryption,
            parsed,
            Encoding.ASCII.GetBytes(aad is null ? protectedText : $"{protectedText}.{aad}"),
            Base64Url.DecodeExact(iv, NonceBytes, "JWE initialization vector"),
            Base64Url.Decode(ciphertext, MaxTextBytes, "JWE ciphertext"),
            Base64Url.DecodeExact(tag, TagBytes, "JWE authentication tag"));
    }

    private static JsonDocument ParseProtected(string text) => StrictJson.ParseObject(
        Base64Url.Decode(text, MaxHeaderBytes, "JWE protected header"), MaxHeaderBytes, "JWE protected header", maxDepth: 16);

    private static JsonElement? Header(JsonElement json, string name) =>
        !json.TryGetProperty(name, out var header) ? null
        : header.ValueKind == JsonValueKind.Object ? header
        : throw Malformed($"\"{name}\" must be an object");

    private static string? Text(JsonElement json, string name) => StrictJson.OptionalText(json, name, Structure);
}
