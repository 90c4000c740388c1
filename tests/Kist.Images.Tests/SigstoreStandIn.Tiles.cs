using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Kist.Formats;
using Kist.Images.Signatures;
using Kist.Oci;
using Kist.Testing;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Kist.Images.Tests;

/// <summary>Its younger half: a log of Rekor's version 2, which promises nothing, and a timestamp authority, which is openssl.</summary>
sealed partial class SigstoreStandIn
{
    public const string TilesOrigin = "tiles.example.com";

    private const string Configuration = """
        [t]
        serial = SERIAL
        signer_digest = sha256
        default_policy = 1.2.3.4.1
        digests = sha256, sha384, sha512
        ess_cert_id_alg = sha256
        """;

    private readonly byte[] _tilesSeed = RandomNumberGenerator.GetBytes(32);
    private readonly List<byte[]> _tiles = [];
    private readonly ECDsa _clockKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private X509Certificate2? _clock;

    public byte[] TilesKeyInfo
    {
        get
        {
            var key = new byte[32];
            Ed25519.GeneratePublicKey(_tilesSeed, 0, key, 0);
            return [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, .. key];
        }
    }

    private byte[] TilesId => SHA256.HashData([.. Encoding.ASCII.GetBytes(TilesOrigin + "\n"), 1, .. TilesKeyInfo[12..]]);

    private X509Certificate2 Clock => _clock ??= CreateClock();

    /// <summary>A bundle of a statement, as a client of Rekor's version 2 writes it.</summary>
    public byte[] TilesBundle(Digest manifest, ECDsa signer, X509Certificate2 certificate, bool hashedRekord, SigstoreStandIn? clock = null)
    {
        var statement = SignedStatement.Write(manifest);
        var signature = signer.SignData(SigstoreBundle.Encode(statement), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        var entry = hashedRekord ? LogToTiles(SigstoreBundle.Encode(statement), signature, certificate) : LogStatementToTiles(statement, signature, certificate);
        var json = Write(entry, hashedRekord ? "hashedrekord" : "dsse", withProof: true);
        json.Remove("inclusionPromise");
        json.Remove("integratedTime");
        json["kindVersion"]!["version"] = "0.0.2";
        return Encoding.UTF8.GetBytes(new JsonObject
        {
            ["mediaType"] = SigstoreBundle.MediaType,
            ["verificationMaterial"] = new JsonObject
            {
                ["certificate"] = new JsonObject { ["rawBytes"] = Convert.ToBase64String(certificate.RawData) },
                ["tlogEntries"] = new JsonArray(json),
                ["timestampVerificationData"] = new JsonObject
                {
                    ["rfc3161Timestamps"] = new JsonArray(new JsonObject { ["signedTimestamp"] = Convert.ToBase64String((clock ?? this).Stamp(signature)) }),
                },
            },
            ["dsseEnvelope"] = new JsonObject
            {
                ["payload"] = Convert.ToBase64String(statement),
                ["payloadType"] = "application/vnd.in-toto+json",
                ["signatures"] = new JsonArray(new JsonObject { ["sig"] = Convert.ToBase64String(signature) }),
            },
        }.ToJsonString());
    }

    /// <summary>Logs a signature as a hashedrekord of version 0.0.2.</summary>
    public LogEntry LogToTiles(byte[] signed, byte[] signature, X509Certificate2 certificate) => AppendToTiles("hashedrekord", "hashedRekordV002", new JsonObject
    {
        ["data"] = HashOutput(signed),
        ["signature"] = TilesSignature(signature, certificate),
    });

    /// <summary>A response of the timestamp authority over a signature.</summary>
    public byte[] Stamp(byte[] signature)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllBytes(directory["signature"], signature);
        File.WriteAllText(directory["clock.pem"], Clock.ExportCertificatePem());
        File.WriteAllText(directory["clock.key"], _clockKey.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(directory["serial"], "01\n");
        File.WriteAllText(directory["configuration"], Configuration.Replace("SERIAL", directory["serial"], StringComparison.Ordinal));
        ExternalProgram.Run("openssl", ["ts", "-query", "-data", directory["signature"], "-sha256", "-cert", "-out", directory["query"]]);
        ExternalProgram.Run(
            "openssl",
            ["ts", "-reply", "-config", directory["configuration"], "-section", "t", "-queryfile", directory["query"], "-signer", directory["clock.pem"], "-inkey", directory["clock.key"], "-out", directory["reply"]]);
        return File.ReadAllBytes(directory["reply"]);
    }

    private JsonObject TilesLog() => new()
    {
        ["baseUrl"] = "https://" + TilesOrigin,
        ["hashAlgorithm"] = "SHA2_256",
        ["publicKey"] = new JsonObject
        {
            ["rawBytes"] = Convert.ToBase64String(TilesKeyInfo),
            ["keyDetails"] = "PKIX_ED25519",
            ["validFor"] = new JsonObject { ["start"] = Time(Now.AddYears(-1)) },
        },
        ["logId"] = new JsonObject { ["keyId"] = Convert.ToBase64String(TilesId) },
    };

    private JsonObject ClockAuthority() => new()
    {
        ["subject"] = new JsonObject { ["organization"] = "test", ["commonName"] = "stand-in clock" },
        ["uri"] = "https://clock.example.com",
        ["certChain"] = new JsonObject
        {
            ["certificates"] = new JsonArray(
                new JsonObject { ["rawBytes"] = Convert.ToBase64String(Clock.RawData) }, new JsonObject { ["rawBytes"] = Convert.ToBase64String(Authority.RawData) }),
        },
        ["validFor"] = new JsonObject { ["start"] = Time(Now.AddYears(-1)) },
    };

    private LogEntry LogStatementToTiles(byte[] statement, byte[] signature, X509Certificate2 certificate) => AppendToTiles("dsse", "dsseV002", new JsonObject
    {
        ["payloadHash"] = HashOutput(statement),
        ["signatures"] = new JsonArray(TilesSignature(signature, certificate)),
    });

    private static JsonObject HashOutput(byte[] data) => new() { ["algorithm"] = "SHA2_256", ["digest"] = Convert.ToBase64String(SHA256.HashData(data)) };

    private static JsonObject TilesSignature(byte[] signature, X509Certificate2 certificate) => new()
    {
        ["content"] = Convert.ToBase64String(signature),
        ["verifier"] = new JsonObject
        {
            ["keyDetails"] = "PKIX_ECDSA_P256_SHA_256",
            ["x509Certificate"] = new JsonObject { ["rawBytes"] = Convert.ToBase64String(certificate.RawData) },
        },
    };

    private LogEntry AppendToTiles(string kind, string member, JsonObject record)
    {
        var body = JsonCanonicalizer.Canonicalize(Encoding.UTF8.GetBytes(
            new JsonObject { ["apiVersion"] = "0.0.2", ["kind"] = kind, ["spec"] = new JsonObject { [member] = record } }.ToJsonString()));
        var index = _tiles.Count + 2;
        for (var i = 0; i < 6; i++)
            _tiles.Add(i == 2 ? SHA256.HashData([0, .. body]) : RandomNumberGenerator.GetBytes(32));
        var root = Root(_tiles, 0, _tiles.Count);
        var note = string.Create(CultureInfo.InvariantCulture, $"{TilesOrigin}\n{_tiles.Count}\n{Convert.ToBase64String(root)}\n");
        var signature = new byte[64];
        var text = Encoding.UTF8.GetBytes(note);
        Ed25519.Sign(_tilesSeed, 0, text, 0, text.Length, signature, 0);
        // A witness signs beside the log.
        var witness = Convert.ToBase64String(RandomNumberGenerator.GetBytes(76));
        return new LogEntry
        {
            LogId = TilesId,
            Index = index,
            IntegratedTime = 0,
            Body = body,
            Proof = new InclusionProof(
                index, _tiles.Count, root, Path(_tiles, index, 0, _tiles.Count),
                $"{note}\n— witness.example.com {witness}\n— {TilesOrigin} {Convert.ToBase64String([.. TilesId[..4], .. signature])}\n"),
        };
    }

    private X509Certificate2 CreateClock()
    {
        var request = new CertificateRequest("CN=stand-in clock, O=test", _clockKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.8")], true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Authority, true, false));
        return request.Create(Authority, Now.AddMonths(-6), Now.AddMonths(6), RandomNumberGenerator.GetBytes(15));
    }
}
