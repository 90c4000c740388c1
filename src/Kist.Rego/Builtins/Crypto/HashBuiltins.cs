using System.Security.Cryptography;

namespace Kist.Rego.Builtins;

/// <summary>crypto.md5, sha1, sha256 and crypto.hmac.*.</summary>
static class HashBuiltins
{
    public static void Register(Registry table)
    {
#pragma warning disable CA5350, CA5351 // The language has these functions; what a policy uses them for is its affair.
        table.Add("crypto.md5", 1, Hash(MD5.HashData));
        table.Add("crypto.sha1", 1, Hash(SHA1.HashData));
        table.Add("crypto.hmac.md5", 2, Hmac(HMACMD5.HashData));
        table.Add("crypto.hmac.sha1", 2, Hmac(HMACSHA1.HashData));
#pragma warning restore CA5350, CA5351
        table.Add("crypto.sha256", 1, Hash(SHA256.HashData));
        table.Add("crypto.hmac.sha256", 2, Hmac(HMACSHA256.HashData));
        table.Add("crypto.hmac.sha512", 2, Hmac(HMACSHA512.HashData));
        table.Add("crypto.hmac.equal", 2, (c, a) => c.String(a, 0, out var x) && c.String(a, 1, out var y)
            ? RegoValue.Of(CryptographicOperations.FixedTimeEquals(EncodingBuiltins.Bytes(x), EncodingBuiltins.Bytes(y)))
            : null);
    }

    private static BuiltinBody Hash(Func<byte[], byte[]> hash) =>
        (c, a) => c.String(a, 0, out var s) ? c.Text(Convert.ToHexStringLower(hash(EncodingBuiltins.Bytes(s)))) : null;

    private static BuiltinBody Hmac(Func<byte[], byte[], byte[]> hmac) => (c, a) => c.String(a, 0, out var s) && c.String(a, 1, out var key)
        ? c.Text(Convert.ToHexStringLower(hmac(EncodingBuiltins.Bytes(key), EncodingBuiltins.Bytes(s))))
        : null;
}
