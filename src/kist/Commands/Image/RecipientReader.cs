using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.Images.Ocicrypt;
using Kist.Linux.Pkcs11;

namespace Kist.Cli.Commands.Image;

/// <summary>
/// Reads recipients as ocicrypt's programs write them: jwe:FILE (or FILE alone), pkcs7:CERTIFICATE, pgp:FILE or pgp:USER-ID
/// of gpg's key ring, pkcs11:FILE (a public key or a key file), provider:NAME[:PARAMETERS].
/// </summary>
static class RecipientReader
{
    public const string Forms = "jwe:FILE, pkcs7:CERT, pgp:FILE|USER, pkcs11:FILE, provider:NAME[:PARAMS], or FILE";

    private static readonly string[] s_schemes = ["jwe", "pkcs7", "pgp", "pkcs11", "provider"];

    /// <summary>One wrapper a scheme, for all its recipients; one a provider.</summary>
    public static IReadOnlyList<ILayerKeyWrapper> Read(IReadOnlyList<string> recipients)
    {
        var wrappers = new List<ILayerKeyWrapper>();
        foreach (var group in recipients.Select(Split).GroupBy(r => r.Scheme, r => r.Value))
        {
            if (group.Key == "provider")
                wrappers.AddRange(group.Select(Provider));
            else
                wrappers.Add(Wrapper(group.Key, [.. group]));
        }

        return wrappers;
    }

    private static (string Scheme, string Value) Split(string recipient)
    {
        var colon = recipient.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && s_schemes.Contains(recipient[..colon]) ? (recipient[..colon], recipient[(colon + 1)..]) : ("jwe", recipient);
    }

    private static ILayerKeyWrapper Wrapper(string scheme, IReadOnlyList<string> values) => scheme switch
    {
        "pkcs7" => new Pkcs7KeyWrapper([.. values.SelectMany(ReadCertificates)]),
        "pgp" => new PgpKeyWrapper([.. values.Select(ReadPgpKey)], TimeProvider.System),
        "pkcs11" => new Pkcs11KeyWrapper([.. values.Select(ReadTokenKey)]),
        _ => new JweKeyWrapper([.. values.Select(ReadPublicKey)]),
    };

    private static KeyProviderClient Provider(string value)
    {
        var colon = value.IndexOf(':', StringComparison.Ordinal);
        var configuration = KeyProviderConfiguration.FromEnvironment();
        return colon < 0 ? configuration.Client(value) : configuration.Client(value[..colon], value[(colon + 1)..]);
    }

    private static IEnumerable<X509Certificate2> ReadCertificates(string path)
    {
        var bytes = File.ReadAllBytes(path);
        try
        {
            if (bytes.AsSpan().IndexOf("-----BEGIN"u8) < 0)
                return [X509CertificateLoader.LoadCertificate(bytes)];
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPem(Encoding.UTF8.GetString(bytes));
            return certificates.Count > 0 ? [certificates[0]] : throw new MalformedDataException("certificate", -1, $"{path} has none");
        }
        catch (CryptographicException e)
        {
            throw new MalformedDataException("certificate", -1, $"{path} is no X.509 certificate", e);
        }
    }

    private static byte[] ReadPgpKey(string value) => File.Exists(value) ? File.ReadAllBytes(value) : Gpg.ExportPublicKey(value);

    private static RSA ReadTokenKey(string path)
    {
        var bytes = File.ReadAllBytes(path);
        if (Pkcs11KeyFile.LooksLikeOne(bytes))
        {
            using var key = Pkcs11Key.Open(Pkcs11KeyFile.Parse(bytes), Pkcs11KeyKind.Public);
            return key.ReadPublicKey();
        }

        return TryImport(RSA.Create(), Encoding.UTF8.GetString(bytes)) ?? throw new MalformedDataException("public key", -1, $"{path} is no RSA public key in PEM, and no PKCS #11 key file");
    }

    private static JsonWebKey ReadPublicKey(string path)
    {
        var text = File.ReadAllBytes(path);
        if (text.AsSpan().TrimStart(" \t\r\n"u8).StartsWith("{"u8))
            return JsonWebKey.Parse(text);
        try
        {
            var pem = Encoding.UTF8.GetString(text);
            if (TryImport(RSA.Create(), pem) is { } rsa)
                return RsaJsonWebKey.FromPublicKey(rsa, null);
            if (TryImport(ECDiffieHellman.Create(), pem) is { } curve)
                return EcJsonWebKey.FromPublicKey(curve, null);
        }
        catch (CryptographicException e)
        {
            throw new MalformedDataException("public key", -1, $"{path}: {e.Message}", e);
        }

        throw new MalformedDataException("public key", -1, $"{path} is no RSA or elliptic-curve public key in PEM or JWK");
    }

    private static T? TryImport<T>(T key, string pem)
        where T : AsymmetricAlgorithm
    {
        try
        {
            key.ImportFromPem(pem);
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            return null;
        }
    }
}
