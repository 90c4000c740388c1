using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Kist.Formats.Jose;
using Kist.KeyBroker.Secrets;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Tokens;

/// <summary>
/// A P-256 key of the broker's own with its self-signed certificate, made at the first start and kept in the database,
/// encrypted as secrets are, so that all replicas sign with the same one.
/// </summary>
sealed class SigningKey : IDisposable
{
    private const string SelectMeta = "SELECT value FROM meta WHERE key = @key";

    private readonly ECDsa _key;
    // A key object serves one thread at a time.
    private readonly Lock _signing = new();

    private SigningKey(ECDsa key, byte[] certificate)
    {
        _key = key;
        Certificate = certificate;
        PublicKey = EcJsonWebKey.FromPublicKey(key, "ES256");
        KeyId = PublicKey.Thumbprint();
    }

    /// <summary>The certificate, DER.</summary>
    public byte[] Certificate { get; }

    /// <summary>The public key.</summary>
    public EcJsonWebKey PublicKey { get; }

    /// <summary>Its RFC 7638 thumbprint.</summary>
    public string KeyId { get; }

    /// <summary>Reads the key of this name, or makes it.</summary>
    public static SigningKey LoadOrCreate(Database database, MasterKeyRing keys, string name, DateTimeOffset now)
    {
        return database.Write(connection =>
        {
            byte[]? Get(string part) => connection.Scalar<byte[]>(SelectMeta, ("@key", $"{name}.{part}"));
            void Set(string part, byte[] value) => connection.Execute(
                "INSERT INTO meta (key, value) VALUES (@key, @value) ON CONFLICT (key) DO UPDATE SET value = @value", ("@key", $"{name}.{part}"), ("@value", value));

            var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            if (Get("sealed") is { } box)
            {
                var envelope = new Envelope(Encoding.UTF8.GetString(Get("master")!), Get("wrapped")!, box);
                using var stored = envelope.Open(keys, name, 1);
                key.ImportPkcs8PrivateKey(stored.Span, out _);
                if (envelope.MasterKey != keys.Current.Id)
                {
                    var rewrapped = envelope.Rewrap(keys, name, 1);
                    Set("master", Encoding.UTF8.GetBytes(rewrapped.MasterKey));
                    Set("wrapped", rewrapped.WrappedKey);
                }

                return new SigningKey(key, Get("certificate")!);
            }

            var request = new CertificateRequest($"CN=Kist {name}", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
            using var certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddYears(10));
            var pkcs8 = key.ExportPkcs8PrivateKey();
            var fresh = Envelope.Seal(keys, pkcs8, name, 1);
            CryptographicOperations.ZeroMemory(pkcs8);
            Set("master", Encoding.UTF8.GetBytes(fresh.MasterKey));
            Set("wrapped", fresh.WrappedKey);
            Set("sealed", fresh.Sealed);
            Set("certificate", certificate.RawData);
            return new SigningKey(key, certificate.RawData);
        });
    }

    /// <summary>Wraps the stored key anew, if another than the present master key wrapped it.</summary>
    public static void Rewrap(Database database, MasterKeyRing keys, string name)
    {
        var stored = database.Read(connection => new Envelope(
            Encoding.UTF8.GetString(connection.Scalar<byte[]>(SelectMeta, ("@key", $"{name}.master"))!),
            connection.Scalar<byte[]>(SelectMeta, ("@key", $"{name}.wrapped"))!,
            []));
        if (stored.MasterKey == keys.Current.Id)
            return;
        var fresh = stored.Rewrap(keys, name, 1);
        database.Write(connection =>
        {
            connection.Execute("UPDATE meta SET value = @value WHERE key = @key", ("@value", Encoding.UTF8.GetBytes(fresh.MasterKey)), ("@key", $"{name}.master"));
            connection.Execute("UPDATE meta SET value = @value WHERE key = @key", ("@value", fresh.WrappedKey), ("@key", $"{name}.wrapped"));
        });
    }

    /// <summary>Signs a compact JWS.</summary>
    public string Sign(ReadOnlySpan<byte> payload, Action<Utf8JsonWriter> writeHeader)
    {
        lock (_signing)
            return JwsToken.Sign(_key, payload, writeHeader);
    }

    /// <summary>True if this key signed the token.</summary>
    public bool Verify(JwsToken token)
    {
        lock (_signing)
            return token.Verify(_key);
    }

    public void Dispose() => _key.Dispose();
}
