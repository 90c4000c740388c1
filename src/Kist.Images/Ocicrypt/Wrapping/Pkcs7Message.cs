using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// CMS EnvelopedData (RFC 5652, section 6) as the pkcs7 library of ocicrypt writes and reads it: keys by RSA PKCS #1 v1.5 for
/// certificates named by issuer and serial number; content by AES-GCM with the tag at its end. It puts GCM into
/// EnvelopedData, which RFC 5084 does not allow, and encodes GCM's parameters as no other program does, so that neither
/// openssl nor a CMS library reads its messages: this is the whole of the dialect.
/// </summary>
sealed class Pkcs7Message
{
    private const string EnvelopedData = "1.2.840.113549.1.7.3";
    private const string Data = "1.2.840.113549.1.7.1";
    private const string RsaEncryption = "1.2.840.113549.1.1.1";
    private const string Aes128Gcm = "2.16.840.1.101.3.4.1.6";
    private const string Aes256Gcm = "2.16.840.1.101.3.4.1.46";
    private const int MaxRecipients = 256;
    private const int NonceSize = 12, TagSize = 16;
    private const byte NonceTag = 0x84;
    private static readonly Asn1Tag s_explicit0 = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag s_implicit0 = new(TagClass.ContextSpecific, 0);

    private readonly IReadOnlyList<byte[]> _encryptedKeys;
    private readonly int _keySize;
    private readonly byte[] _nonce;
    private readonly byte[] _ciphertext;

    private Pkcs7Message(IReadOnlyList<byte[]> encryptedKeys, int keySize, byte[] nonce, byte[] ciphertext)
    {
        _encryptedKeys = encryptedKeys;
        _keySize = keySize;
        _nonce = nonce;
        _ciphertext = ciphertext;
    }

    /// <summary>Encrypts for certificates with RSA keys.</summary>
    /// <exception cref="MalformedDataException">A certificate has another kind of key.</exception>
    public static byte[] Encrypt(ReadOnlySpan<byte> plaintext, IReadOnlyList<X509Certificate2> recipients)
    {
        using var key = SecretBytes.Random(32);
        var nonce = RandomNumberGenerator.GetBytes(NonceSize);
        var ciphertext = new byte[plaintext.Length + TagSize];
        using (var gcm = new AesGcm(key.Span, TagSize))
            gcm.Encrypt(nonce, plaintext, ciphertext.AsSpan(0, plaintext.Length), ciphertext.AsSpan(plaintext.Length));
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(EnvelopedData);
            using (writer.PushSequence(s_explicit0))
            using (writer.PushSequence())
            {
                writer.WriteInteger(0);
                using (writer.PushSetOf())
                {
                    foreach (var recipient in recipients)
                        WriteRecipient(writer, recipient, key.Span);
                }

                WriteContent(writer, nonce, ciphertext);
            }
        }

        return writer.Encode();
    }

    /// <summary>Reads a message.</summary>
    /// <exception cref="MalformedDataException">It is no such message, or its content is not authenticated.</exception>
    public static Pkcs7Message Parse(byte[] message)
    {
        try
        {
            var outer = new AsnReader(message, AsnEncodingRules.BER).ReadSequence();
            if (outer.ReadObjectIdentifier() != EnvelopedData)
                throw Malformed("it is no EnvelopedData");
            var enveloped = outer.ReadSequence(s_explicit0).ReadSequence();
            enveloped.ReadInteger();
            var keys = ReadRecipients(enveloped.ReadSetOf());
            var content = enveloped.ReadSequence();
            content.ReadObjectIdentifier();
            var algorithm = content.ReadSequence();
            var keySize = algorithm.ReadObjectIdentifier() switch
            {
                Aes128Gcm => 16,
                Aes256Gcm => 32,
                var name => throw Malformed($"the content encryption {name} is not AES-GCM: nothing would authenticate it"),
            };
            return new Pkcs7Message(keys, keySize, ReadNonce(algorithm.ReadEncodedValue().Span), ReadCiphertext(content));
        }
        catch (AsnContentException e)
        {
            throw new MalformedDataException("PKCS #7 message", -1, "it is damaged", e);
        }
    }

    /// <summary>Decrypts with a private key.</summary>
    /// <returns>The plaintext, which the caller wipes; null if the message is for others, or was changed.</returns>
    public byte[]? TryDecrypt(RSA key) => _encryptedKeys.Select(encrypted => TryDecrypt(key, encrypted)).FirstOrDefault(p => p is not null);

    private byte[]? TryDecrypt(RSA rsa, byte[] encryptedKey)
    {
        var key = GC.AllocateArray<byte>(rsa.KeySize / 8, pinned: true);
        try
        {
            if (!rsa.TryDecrypt(encryptedKey, key, RSAEncryptionPadding.Pkcs1, out var length) || length != _keySize)
                return null;
            using var gcm = new AesGcm(key.AsSpan(0, length), TagSize);
            var plaintext = GC.AllocateArray<byte>(_ciphertext.Length - TagSize, pinned: true);
            gcm.Decrypt(_nonce, _ciphertext.AsSpan(0, plaintext.Length), _ciphertext.AsSpan(plaintext.Length), plaintext);
            return plaintext;
        }
        catch (CryptographicException)
        {
            // For another key.
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static void WriteRecipient(AsnWriter writer, X509Certificate2 certificate, ReadOnlySpan<byte> key)
    {
        using var rsa = certificate.GetRSAPublicKey() ?? throw new MalformedDataException("certificate", -1, $"the key of {certificate.Subject} is no RSA key");
        using (writer.PushSequence())
        {
            writer.WriteInteger(0);
            using (writer.PushSequence())
            {
                writer.WriteEncodedValue(certificate.IssuerName.RawData);
                writer.WriteInteger(new BigInteger(certificate.SerialNumberBytes.Span, isUnsigned: false, isBigEndian: true));
            }

            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(RsaEncryption);
                writer.WriteNull();
            }

            writer.WriteOctetString(rsa.Encrypt(key, RSAEncryptionPadding.Pkcs1));
        }
    }

    private static void WriteContent(AsnWriter writer, byte[] nonce, byte[] ciphertext)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(Data);
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(Aes256Gcm);
                // A sequence marked as primitive around the sequence, and the nonce with a tag of its own: see ReadNonce.
                byte[] inner = [NonceTag, NonceSize, .. nonce, 0x02, 0x01, TagSize];
                byte[] parameters = [0x10, (byte)(inner.Length + 2), 0x30, (byte)inner.Length, .. inner];
                writer.WriteEncodedValue(parameters);
            }

            using (writer.PushSequence(s_explicit0))
                writer.WriteOctetString(ciphertext);
        }
    }

    private static List<byte[]> ReadRecipients(AsnReader recipients)
    {
        var keys = new List<byte[]>();
        while (recipients.HasData)
        {
            var recipient = recipients.ReadSequence();
            recipient.ReadInteger();
            recipient.ReadSequence();
            var algorithm = recipient.ReadSequence().ReadObjectIdentifier();
            var encryptedKey = recipient.ReadOctetString();
            if (keys.Count >= MaxRecipients)
                throw Malformed($"more than {MaxRecipients} recipients");
            if (algorithm == RsaEncryption)
                keys.Add(encryptedKey);
        }

        return keys;
    }

    // offset  size  field
    // 0       2     0x10 or 0x30 (a sequence), length
    // 2       2     0x30 (a sequence), length
    // 4       2+12  0x84 (context-specific 4; 0x04 by the standard), length, nonce
    // 18      3     0x02 0x01 0x10: the tag's length
    private static byte[] ReadNonce(ReadOnlySpan<byte> parameters)
    {
        var cursor = new SpanCursor(parameters, "PKCS #7 GCM parameters");
        if (cursor.ReadByte() is not (0x10 or 0x30) || cursor.ReadByte() != cursor.Remaining)
            throw cursor.Malformed("it is no sequence");
        if (cursor.ReadByte() != 0x30 || cursor.ReadByte() != cursor.Remaining)
            throw cursor.Malformed("it holds no sequence");
        if (cursor.ReadByte() is not (NonceTag or 0x04) || cursor.ReadByte() != NonceSize)
            throw cursor.Malformed($"it has no nonce of {NonceSize} bytes");
        var nonce = cursor.ReadBytes(NonceSize).ToArray();
        cursor.Expect([0x02, 0x01, TagSize], "tag length");
        cursor.ExpectEnd();
        return nonce;
    }

    // An implicit octet string: primitive, or in parts, as ocicrypt writes it.
    private static byte[] ReadCiphertext(AsnReader content)
    {
        byte[] ciphertext;
        if (!content.PeekTag().IsConstructed)
        {
            ciphertext = content.ReadOctetString(s_implicit0);
        }
        else
        {
            var parts = content.ReadSequence(s_explicit0);
            using var all = new MemoryStream();
            while (parts.HasData)
                all.Write(parts.ReadOctetString());
            ciphertext = all.ToArray();
        }

        return ciphertext.Length >= TagSize ? ciphertext : throw Malformed("its content is too short to be authenticated");
    }

    private static MalformedDataException Malformed(string reason) => new("PKCS #7 message", -1, reason);
}
