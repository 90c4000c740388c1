using Kist.Formats;
using Org.BouncyCastle.Bcpg.OpenPgp;
using Org.BouncyCastle.Bcpg.Sig;

namespace Kist.Images.Ocicrypt;

/// <summary>Chooses keys from OpenPGP key rings.</summary>
static class PgpKeyRing
{
    /// <summary>For each key in a file of public keys the subkey to encrypt to: the newest that may and is valid.</summary>
    /// <exception cref="MalformedDataException">The file holds no such key.</exception>
    public static IReadOnlyList<PgpPublicKey> EncryptionKeys(byte[] ring, TimeProvider time)
    {
        List<PgpPublicKey> chosen;
        try
        {
            var now = time.GetUtcNow().UtcDateTime;
            chosen = [.. new PgpPublicKeyRingBundle(PgpUtilities.GetDecoderStream(new MemoryStream(ring))).GetKeyRings()
                .Select(r => r.GetPublicKeys().Where(k => MayEncrypt(k, now)).MaxBy(k => k.CreationTime)).OfType<PgpPublicKey>()];
        }
        catch (Exception e) when (e is PgpException or IOException or ArgumentException)
        {
            throw new MalformedDataException("OpenPGP key", -1, "it is no file of public keys", e);
        }

        return chosen.Count > 0 ? chosen : throw new MalformedDataException("OpenPGP key", -1, "no key in it may encrypt: it is expired, revoked, or for signing only");
    }

    // A key's flags (RFC 4880, section 5.2.3.21) stand in a signature over it; without flags its algorithm decides.
    private static bool MayEncrypt(PgpPublicKey key, DateTime now)
    {
        if (!key.IsEncryptionKey || key.HasRevocation())
            return false;
        if (key.GetValidSeconds() is > 0 and var seconds && key.CreationTime.AddSeconds(seconds) <= now)
            return false;
        var flags = key.GetSignatures().Select(s => s.GetHashedSubPackets()?.GetKeyFlags() ?? 0).Aggregate(0, (all, f) => all | f);
        return flags == 0 || (flags & (KeyFlags.EncryptComms | KeyFlags.EncryptStorage)) != 0;
    }
}
