using Org.BouncyCastle.Bcpg;
using Org.BouncyCastle.Bcpg.OpenPgp;

namespace Kist.Images.Signatures;

/// <summary>Verifies simple signatures: OpenPGP messages (RFC 4880) of one signature over literal data. For the host only.</summary>
/// <param name="time">The time, against which keys and signatures expire.</param>
public sealed class OpenPgpVerifier(TimeProvider time) : ISimpleSignatureVerifier
{
    private const int MaxMessageBytes = 1024 * 1024;

    /// <inheritdoc/>
    public (byte[]? Payload, string? Reason) Verify(ReadOnlyMemory<byte> signature, IReadOnlyList<byte[]> keyRings)
    {
        if (signature.Length > MaxMessageBytes)
            return (null, "a signature is too large");
        try
        {
            return VerifyMessage(signature.ToArray(), keyRings);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // For damaged messages the library throws a dozen unrelated types; each of them means that nothing was proven.
            return (null, "a signature is damaged");
        }
    }

    private (byte[]? Payload, string? Reason) VerifyMessage(byte[] message, IReadOnlyList<byte[]> keyRings)
    {
        var objects = new PgpObjectFactory(PgpUtilities.GetDecoderStream(new MemoryStream(message)));
        var first = objects.NextPgpObject();
        if (first is PgpCompressedData compressed)
        {
            objects = new PgpObjectFactory(compressed.GetDataStream());
            first = objects.NextPgpObject();
        }

        if (first is not PgpOnePassSignatureList { Count: 1 } onePass || objects.NextPgpObject() is not PgpLiteralData literal)
            return (null, "a signature is no message with exactly one signature");
        if (FindKey(onePass[0].KeyId, keyRings) is not { } key)
            return (null, $"a signature is by another key, {onePass[0].KeyId:X16}");
        var payload = ReadLiteral(literal);
        onePass[0].InitVerify(key);
        onePass[0].Update(payload);
        if (objects.NextPgpObject() is not PgpSignatureList { Count: 1 } signatures || objects.NextPgpObject() is not null)
            return (null, "a signature is no message with exactly one signature");
        return onePass[0].Verify(signatures[0]) ? Judge(payload, signatures[0], key) : (null, "a signature is wrong");
    }

    private (byte[]? Payload, string? Reason) Judge(byte[] payload, PgpSignature signature, PgpPublicKey key)
    {
        var now = time.GetUtcNow().UtcDateTime;
        if (signature.SignatureType != PgpSignature.BinaryDocument)
            return (null, "a signature is of another type");
        if (signature.HashAlgorithm is HashAlgorithmTag.MD5 or HashAlgorithmTag.Sha1 or HashAlgorithmTag.RipeMD160)
            return (null, $"a signature uses {signature.HashAlgorithm}, which is too weak");
        var lifetime = signature.GetHashedSubPackets()?.GetSignatureExpirationTime() ?? 0;
        if (signature.CreationTime > now.AddDays(1))
            return (null, "a signature is from the future");
        if (lifetime > 0 && signature.CreationTime.AddSeconds(lifetime) <= now)
            return (null, "a signature has expired");
        if (key.HasRevocation() || (key.GetValidSeconds() is > 0 and var valid && key.CreationTime.AddSeconds(valid) <= now))
            return (null, "a signature's key has expired or was revoked");
        return (payload, null);
    }

    private static PgpPublicKey? FindKey(long keyId, IReadOnlyList<byte[]> keyRings)
    {
        foreach (var ring in keyRings)
        {
            var bundle = new PgpPublicKeyRingBundle(PgpUtilities.GetDecoderStream(new MemoryStream(ring)));
            if (bundle.GetPublicKey(keyId) is { } key)
                return key;
        }

        return null;
    }

    private static byte[] ReadLiteral(PgpLiteralData literal)
    {
        using var content = new MemoryStream();
        using var input = literal.GetInputStream();
        var buffer = new byte[4096];
        int count;
        while ((count = input.Read(buffer, 0, buffer.Length)) > 0)
        {
            if (content.Length + count > SignaturePayload.MaxBytes)
                throw new IOException("too large");
            content.Write(buffer, 0, count);
        }

        return content.ToArray();
    }
}
