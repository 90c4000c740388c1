using System.Security.Cryptography;
using Kist.Formats.Jose;

namespace Kist.Images.Tests;

/// <summary>Key pairs as files for other programs.</summary>
static class Keys
{
    public static (AsymmetricAlgorithm Private, JsonWebKey Public) Write(string kind, string privatePath, string publicPath)
    {
        AsymmetricAlgorithm key = kind == "rsa" ? RSA.Create(2048) : ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(privatePath, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(publicPath, key.ExportSubjectPublicKeyInfoPem());
        return (key, key is RSA r ? RsaJsonWebKey.FromPublicKey(r, null) : EcJsonWebKey.FromPublicKey((ECDiffieHellman)key, null));
    }
}
