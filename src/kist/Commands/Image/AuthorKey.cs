using System.Security.Cryptography;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.Cli.Commands.Image;

/// <summary>Keys of those who sign sealed images: elliptic, P-256 or P-384.</summary>
static class AuthorKey
{
    /// <summary>Reads a private key.</summary>
    public static ECDsa ReadPrivate(string path) => Read(path, "private");

    /// <summary>The thumbprint (RFC 7638) of a public key, or of a private one's public part.</summary>
    public static string ReadThumbprint(string path)
    {
        using var key = Read(path, "public");
        return EcJsonWebKey.FromPublicKey(key, null).Thumbprint();
    }

    private static ECDsa Read(string path, string kind)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(path));
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new MalformedDataException($"{kind} key", -1, $"{path} is no elliptic-curve {kind} key in PEM", e);
        }
    }
}
