using System.Security.Cryptography;
using Kist.Formats;
using Org.BouncyCastle.Bcpg;
using Org.BouncyCastle.Bcpg.OpenPgp;
using Org.BouncyCastle.Security;

namespace Kist.Images.Ocicrypt;

/// <summary>Wraps for OpenPGP keys (RFC 4880, section 11.3), as gpg and ocicrypt do; one message for all. For the host only.</summary>
/// <param name="recipients">Public key rings, binary or armored; each ring's newest key that may encrypt is used.</param>
/// <param name="time">The time, against which keys expire.</param>
public sealed class PgpKeyWrapper(IReadOnlyList<byte[]> recipients, TimeProvider time) : ILayerKeyWrapper
{
    /// <inheritdoc/>
    public Task<(string Scheme, byte[] Packet)> WrapAsync(ReadOnlyMemory<byte> privateOptions, CancellationToken cancellationToken)
    {
        var keys = recipients.SelectMany(r => PgpKeyRing.EncryptionKeys(r, time)).ToList();
        var generator = new PgpEncryptedDataGenerator(SymmetricKeyAlgorithmTag.Aes256, withIntegrityPacket: true, new SecureRandom());
        foreach (var key in keys)
            generator.AddMethod(key);
        using var output = new MemoryStream();
        using (var encrypted = generator.Open(output, new byte[4096]))
        using (var literal = new PgpLiteralDataGenerator().Open(encrypted, PgpLiteralData.Binary, "", privateOptions.Length, DateTime.UnixEpoch))
            literal.Write(privateOptions.Span);
        return Task.FromResult(("pgp", output.ToArray()));
    }
}

/// <summary>Opens OpenPGP messages. For the host only.</summary>
/// <param name="keyRings">Secret key rings, binary or armored.</param>
/// <param name="passphrase">What the secret keys are locked with, in UTF-8; empty for none. It stays the caller's.</param>
public sealed class PgpKeyUnwrapper(IReadOnlyList<byte[]> keyRings, ReadOnlyMemory<byte> passphrase) : ILayerKeyUnwrapper
{
    private const int MaxPlaintextBytes = 64 * 1024;

    /// <inheritdoc/>
    public bool Handles(string scheme) => scheme == "pgp";

    /// <inheritdoc/>
    public Task<byte[]?> TryUnwrapAsync(string scheme, byte[] packet, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult(TryDecrypt(packet));
        }
        catch (Exception e) when (e is not (OutOfMemoryException or MalformedDataException or OperationFailedException))
        {
            // For damaged messages the library throws a dozen unrelated types.
            throw new MalformedDataException("OpenPGP message", -1, "it is damaged", e);
        }
    }

    private byte[]? TryDecrypt(byte[] packet)
    {
        var objects = new PgpObjectFactory(new MemoryStream(packet));
        if (objects.NextPgpObject() is not PgpEncryptedDataList list)
            throw new MalformedDataException("OpenPGP message", -1, "it is not encrypted");
        foreach (var data in list.GetEncryptedDataObjects().OfType<PgpPublicKeyEncryptedData>())
        {
            if (FindKey(data.KeyId) is not { } key)
                continue;
            if (!data.IsIntegrityProtected())
                throw new MalformedDataException("OpenPGP message", -1, "nothing protects it from changes");
            var plain = ReadLiteral(data.GetDataStream(key));
            if (data.Verify())
                return plain;
            CryptographicOperations.ZeroMemory(plain);
            throw new MalformedDataException("OpenPGP message", -1, "it was changed after it had been encrypted");
        }

        return null;
    }

    private PgpPrivateKey? FindKey(long keyId)
    {
        foreach (var ring in keyRings)
        {
            var key = new PgpSecretKeyRingBundle(PgpUtilities.GetDecoderStream(new MemoryStream(ring))).GetSecretKey(keyId);
            if (key is null || key.IsPrivateKeyEmpty)
                continue;
            var words = System.Text.Encoding.UTF8.GetChars(passphrase.ToArray());
            try
            {
                return key.ExtractPrivateKeyUtf8(words);
            }
            catch (PgpException e)
            {
                throw new OperationFailedException(
                    "open secret key", keyId.ToString("X16", System.Globalization.CultureInfo.InvariantCulture), "the passphrase is wrong or missing",
                    "give --passphrase-file FILE", inner: e);
            }
            finally
            {
                Array.Clear(words);
            }
        }

        return null;
    }

    private static byte[] ReadLiteral(Stream content)
    {
        var objects = new PgpObjectFactory(content);
        var first = objects.NextPgpObject();
        if (first is PgpCompressedData compressed)
            first = new PgpObjectFactory(compressed.GetDataStream()).NextPgpObject();
        if (first is not PgpLiteralData literal)
            throw new MalformedDataException("OpenPGP message", -1, "it holds no data");
        using var stream = literal.GetInputStream();
        using var buffer = new SecretBytes(MaxPlaintextBytes + 1);
        var length = stream.ReadAtLeast(buffer.Span, buffer.Length, throwOnEndOfStream: false);
        return length <= MaxPlaintextBytes ? buffer.Span[..length].ToArray() : throw new MalformedDataException("OpenPGP message", -1, "it is too large");
    }
}
