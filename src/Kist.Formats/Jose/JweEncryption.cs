using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kist.Formats.Jose;

/// <summary>
/// Writes JSON Web Encryptions with A256GCM. The bytes of the protected header are exact: <c>alg</c>, <c>enc</c>, then
/// the other members by name, without white space, because guests of the KBS protocol decode that header, write it again
/// in that order and authenticate what they wrote, not what they received.
/// </summary>
public static class JweEncryption
{
    private const int ContentKeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private static readonly JsonWriterOptions HeaderOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Encrypts to one key in the flattened JSON form.</summary>
    /// <param name="plaintext">What to encrypt.</param>
    /// <param name="recipient">
    /// Its "alg" chooses RSA-OAEP-256, RSA-OAEP or ECDH-ES+A256KW. Without one an EC key means ECDH-ES+A256KW and an RSA
    /// key RSA-OAEP-256.
    /// </param>
    /// <returns>UTF-8 JSON with the members protected, encrypted_key, iv, ciphertext and tag.</returns>
    /// <exception cref="MalformedDataException">The key's algorithm is not one of these, or it is no valid key.</exception>
    public static byte[] EncryptFlattened(ReadOnlySpan<byte> plaintext, JsonWebKey recipient)
    {
        using var contentKey = SecretBytes.Random(ContentKeyBytes);
        var (algorithm, ephemeral, encryptedKey) = EncryptKey(contentKey.Span, recipient);
        var header = Json(writer =>
        {
            writer.WriteString("alg"u8, algorithm);
            writer.WriteString("enc"u8, JweAlgorithms.A256Gcm);
            WriteEphemeralKey(writer, ephemeral);
        });
        return Seal(plaintext, contentKey, header, writer => writer.WriteString("encrypted_key"u8, Base64Url.Encode(encryptedKey)));
    }

    /// <summary>
    /// Encrypts to several keys in the general JSON form, with each recipient's algorithm in its own header, as go-jose
    /// and so ocicrypt do.
    /// </summary>
    /// <exception cref="MalformedDataException">A key's algorithm is not supported, or it is no valid key.</exception>
    public static byte[] EncryptGeneral(ReadOnlySpan<byte> plaintext, IReadOnlyList<JsonWebKey> recipients)
    {
        if (recipients.Count is 0 or > JweMessage.MaxRecipients)
            throw new ArgumentOutOfRangeException(nameof(recipients));
        using var contentKey = SecretBytes.Random(ContentKeyBytes);
        var header = Json(writer => writer.WriteString("enc"u8, JweAlgorithms.A256Gcm));
        var encrypted = new List<(string Algorithm, EcJsonWebKey? Ephemeral, byte[] Key)>(recipients.Count);
        foreach (var recipient in recipients)
            encrypted.Add(EncryptKey(contentKey.Span, recipient));
        return Seal(plaintext, contentKey, header, writer =>
        {
            writer.WriteStartArray("recipients"u8);
            foreach (var (algorithm, ephemeral, key) in encrypted)
            {
                writer.WriteStartObject();
                writer.WriteStartObject("header"u8);
                writer.WriteString("alg"u8, algorithm);
                WriteEphemeralKey(writer, ephemeral);
                writer.WriteEndObject();
                writer.WriteString("encrypted_key"u8, Base64Url.Encode(key));
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
    }

    private static byte[] Seal(ReadOnlySpan<byte> plaintext, SecretBytes contentKey, byte[] header, Action<Utf8JsonWriter> writeRecipients)
    {
        var protectedText = Base64Url.Encode(header);
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Span<byte> tag = stackalloc byte[TagBytes];
        RandomNumberGenerator.Fill(nonce);
        var ciphertext = new byte[plaintext.Length];
        using (var gcm = new AesGcm(contentKey.Span, TagBytes))
            gcm.Encrypt(nonce, plaintext, ciphertext, tag, Encoding.ASCII.GetBytes(protectedText));
        var (iv, tagText) = (Base64Url.Encode(nonce), Base64Url.Encode(tag));
        return Json(writer =>
        {
            writer.WriteString("protected"u8, protectedText);
            writeRecipients(writer);
            writer.WriteString("iv"u8, iv);
            writer.WriteString("ciphertext"u8, Base64Url.Encode(ciphertext));
            writer.WriteString("tag"u8, tagText);
        });
    }

    private static (string Algorithm, EcJsonWebKey? Ephemeral, byte[] Encrypted) EncryptKey(ReadOnlySpan<byte> contentKey, JsonWebKey recipient)
    {
        switch (recipient)
        {
            case EcJsonWebKey { Algorithm: null or JweAlgorithms.EcdhEsA256KW } ec:
                using (var ephemeral = ECDiffieHellman.Create(EcCurveInfo.CurveOf(ec.Curve)!.Value))
                using (var wrappingKey = new SecretBytes(JweAlgorithms.WrappingKeySize(JweAlgorithms.EcdhEsA256KW)))
                {
                    EcdhEs.Agree(ephemeral, ec, JweAlgorithms.EcdhEsA256KW, [], [], wrappingKey.Span);
                    var publicPart = EcJsonWebKey.FromPublicKey(ephemeral, null);
                    return (JweAlgorithms.EcdhEsA256KW, publicPart, AesKeyWrap.Wrap(wrappingKey.Span, contentKey));
                }

            case RsaJsonWebKey { Algorithm: null or JweAlgorithms.RsaOaep256 } rsa:
                using (var key = rsa.CreateRsa())
                    return (JweAlgorithms.RsaOaep256, null, key.Encrypt(contentKey, RSAEncryptionPadding.OaepSHA256));

            case RsaJsonWebKey { Algorithm: JweAlgorithms.RsaOaep } rsa:
                using (var key = rsa.CreateRsa())
                    return (JweAlgorithms.RsaOaep, null, key.Encrypt(contentKey, RSAEncryptionPadding.OaepSHA1));

            default:
                throw new MalformedDataException("JSON Web Key", -1, $"its \"alg\" is no key encryption that is supported for {recipient.KeyType} keys");
        }
    }

    private static void WriteEphemeralKey(Utf8JsonWriter writer, EcJsonWebKey? key)
    {
        if (key is null)
            return;
        writer.WritePropertyName("epk"u8);
        key.WriteTo(writer);
    }

    private static byte[] Json(Action<Utf8JsonWriter> writeMembers)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, HeaderOptions))
        {
            writer.WriteStartObject();
            writeMembers(writer);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
