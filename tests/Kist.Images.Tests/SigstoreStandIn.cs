using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Kist.Formats;
using Kist.Images.Signatures;
using Kist.Oci;

namespace Kist.Images.Tests;

/// <summary>
/// A certificate authority, a certificate log and a transparency log as a Sigstore deployment has them, in memory. What it
/// makes is proved genuine by cosign, which verifies it too.
/// </summary>
sealed partial class SigstoreStandIn : IDisposable
{
    public const string Issuer = "https://issuer.example.com";
    public const string Subject = "builder@example.com";

    private readonly ECDsa _rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _ctKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _logKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly List<byte[]> _leaves = [];

    public SigstoreStandIn()
    {
        var request = new CertificateRequest("CN=stand-in authority, O=test", _rootKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 1, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        Authority = request.CreateSelfSigned(Now.AddYears(-1), Now.AddYears(1));
    }

    public static DateTimeOffset Now { get; } = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

    public X509Certificate2 Authority { get; }

    public byte[] LogPem => Encoding.ASCII.GetBytes(_logKey.ExportSubjectPublicKeyInfoPem());

    public byte[] CertificateLogPem => Encoding.ASCII.GetBytes(_ctKey.ExportSubjectPublicKeyInfoPem());

    /// <summary>A trusted_root.json that names all three.</summary>
    public byte[] TrustedRoot() => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["mediaType"] = "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        ["tlogs"] = new JsonArray(Log(_logKey, "https://rekor.example.com"), TilesLog()),
        ["timestampAuthorities"] = new JsonArray(ClockAuthority()),
        ["certificateAuthorities"] = new JsonArray(new JsonObject
        {
            ["subject"] = new JsonObject { ["organization"] = "test", ["commonName"] = "stand-in authority" },
            ["uri"] = "https://fulcio.example.com",
            ["certChain"] = new JsonObject { ["certificates"] = new JsonArray(new JsonObject { ["rawBytes"] = Convert.ToBase64String(Authority.RawData) }) },
            ["validFor"] = new JsonObject { ["start"] = Time(Now.AddYears(-1)) },
        }),
        ["ctlogs"] = new JsonArray(Log(_ctKey, "https://ct.example.com")),
    }.ToJsonString());

    /// <summary>A certificate for a signer, valid for ten minutes around a time.</summary>
    public X509Certificate2 Issue(ECDsa signer, string subject = Subject, string issuer = Issuer, DateTimeOffset? when = null, bool withTimestamp = true)
    {
        var time = when ?? Now;
        var serial = RandomNumberGenerator.GetBytes(15);
        var before = Request(signer, subject, issuer).Create(Authority, time.AddMinutes(-5), time.AddMinutes(5), serial);
        if (!withTimestamp)
            return before;
        var request = Request(signer, subject, issuer);
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.4.1.11129.2.4.2", TimestampList(before, time), false));
        return request.Create(Authority, time.AddMinutes(-5), time.AddMinutes(5), serial);
    }

    /// <summary>Logs a signature as a hashedrekord, and returns the entry with promise and proof.</summary>
    public LogEntry LogHashedRekord(byte[] signed, byte[] signature, X509Certificate2 certificate, DateTimeOffset? when = null) => Append(new JsonObject
    {
        ["apiVersion"] = "0.0.1",
        ["kind"] = "hashedrekord",
        ["spec"] = new JsonObject
        {
            ["data"] = new JsonObject { ["hash"] = new JsonObject { ["algorithm"] = "sha256", ["value"] = Convert.ToHexStringLower(SHA256.HashData(signed)) } },
            ["signature"] = new JsonObject
            {
                ["content"] = Convert.ToBase64String(signature),
                ["publicKey"] = new JsonObject { ["content"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n")) },
            },
        },
    }, when ?? Now);

    /// <summary>The annotations of a keyless signature over a payload.</summary>
    public static Dictionary<string, string> Annotations(byte[] signature, X509Certificate2 certificate, X509Certificate2 authority, LogEntry entry) => new()
    {
        ["dev.cosignproject.cosign/signature"] = Convert.ToBase64String(signature),
        ["dev.sigstore.cosign/certificate"] = certificate.ExportCertificatePem() + "\n",
        ["dev.sigstore.cosign/chain"] = authority.ExportCertificatePem() + "\n",
        ["dev.sigstore.cosign/bundle"] = new JsonObject
        {
            ["SignedEntryTimestamp"] = Convert.ToBase64String(entry.Promise!),
            ["Payload"] = new JsonObject
            {
                ["body"] = Convert.ToBase64String(entry.Body),
                ["integratedTime"] = entry.IntegratedTime,
                ["logIndex"] = entry.Index,
                ["logID"] = Convert.ToHexStringLower(entry.LogId),
            },
        }.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }),
    };

    /// <summary>A bundle of a statement about a manifest.</summary>
    public byte[] Bundle(Digest manifest, ECDsa signer, X509Certificate2 certificate, string version)
    {
        var statement = SignedStatement.Write(manifest);
        var signature = signer.SignData(SigstoreBundle.Encode(statement), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        var entry = LogDsse(statement, signature, certificate);
        JsonObject raw = new() { ["rawBytes"] = Convert.ToBase64String(certificate.RawData) };
        return Encoding.UTF8.GetBytes(new JsonObject
        {
            ["mediaType"] = version == "0.3" ? SigstoreBundle.MediaType : $"application/vnd.dev.sigstore.bundle+json;version={version}",
            ["verificationMaterial"] = new JsonObject
            {
                [version == "0.3" ? "certificate" : "x509CertificateChain"] = version == "0.3" ? raw : new JsonObject { ["certificates"] = new JsonArray(raw) },
                ["tlogEntries"] = new JsonArray(Write(entry, "dsse", withProof: version != "0.1")),
            },
            ["dsseEnvelope"] = new JsonObject
            {
                ["payload"] = Convert.ToBase64String(statement),
                ["payloadType"] = "application/vnd.in-toto+json",
                ["signatures"] = new JsonArray(new JsonObject { ["sig"] = Convert.ToBase64String(signature) }),
            },
        }.ToJsonString());
    }

    public void Dispose()
    {
        _rootKey.Dispose();
        _ctKey.Dispose();
        _logKey.Dispose();
        _clockKey.Dispose();
        _clock?.Dispose();
        Authority.Dispose();
    }

    private LogEntry LogDsse(byte[] statement, byte[] signature, X509Certificate2 certificate) => Append(new JsonObject
    {
        ["apiVersion"] = "0.0.1",
        ["kind"] = "dsse",
        ["spec"] = new JsonObject
        {
            ["envelopeHash"] = new JsonObject { ["algorithm"] = "sha256", ["value"] = Convert.ToHexStringLower(SHA256.HashData(EnvelopeOf(statement, signature))) },
            ["payloadHash"] = new JsonObject { ["algorithm"] = "sha256", ["value"] = Convert.ToHexStringLower(SHA256.HashData(statement)) },
            ["signatures"] = new JsonArray(new JsonObject
            {
                ["signature"] = Convert.ToBase64String(signature),
                ["verifier"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n")),
            }),
        },
    }, Now);

    private static byte[] EnvelopeOf(byte[] statement, byte[] signature) => Encoding.UTF8.GetBytes(
        $$"""{"payload":"{{Convert.ToBase64String(statement)}}","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"{{Convert.ToBase64String(signature)}}"}]}""");

    private LogEntry Append(JsonObject body, DateTimeOffset when)
    {
        var canonical = JsonCanonicalizer.Canonicalize(Encoding.UTF8.GetBytes(body.ToJsonString()));
        var index = _leaves.Count;
        _leaves.Add(SHA256.HashData([0, .. canonical]));
        // A few more, so that a proof has something to prove.
        for (var i = 0; i < 4; i++)
            _leaves.Add(RandomNumberGenerator.GetBytes(32));
        var logId = SHA256.HashData(_logKey.ExportSubjectPublicKeyInfo());
        var promised = JsonCanonicalizer.Canonicalize(Encoding.UTF8.GetBytes(new JsonObject
        {
            ["body"] = Convert.ToBase64String(canonical),
            ["integratedTime"] = when.ToUnixTimeSeconds(),
            ["logID"] = Convert.ToHexStringLower(logId),
            ["logIndex"] = index,
        }.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })));
        var root = Root(_leaves, 0, _leaves.Count);
        var note = string.Create(CultureInfo.InvariantCulture, $"rekor.example.com - 1\n{_leaves.Count}\n{Convert.ToBase64String(root)}\n");
        byte[] signed = [.. logId[..4], .. Sign(_logKey, Encoding.UTF8.GetBytes(note))];
        return new LogEntry
        {
            LogId = logId,
            Index = index,
            IntegratedTime = when.ToUnixTimeSeconds(),
            Body = canonical,
            Promise = Sign(_logKey, promised),
            Proof = new InclusionProof(index, _leaves.Count, root, Path(_leaves, index, 0, _leaves.Count), $"{note}\n— rekor.example.com {Convert.ToBase64String(signed)}\n"),
        };
    }

    // RFC 6962, section 2.1: the tree's root and a leaf's audit path, by their definitions.
    private static byte[] Root(List<byte[]> leaves, int start, int count)
    {
        if (count == 1)
            return leaves[start];
        var left = LargestPowerBelow(count);
        return SHA256.HashData([1, .. Root(leaves, start, left), .. Root(leaves, start + left, count - left)]);
    }

    private static List<byte[]> Path(List<byte[]> leaves, int index, int start, int count)
    {
        if (count == 1)
            return [];
        var left = LargestPowerBelow(count);
        return index < left
            ? [.. Path(leaves, index, start, left), Root(leaves, start + left, count - left)]
            : [.. Path(leaves, index - left, start + left, count - left), Root(leaves, start, left)];
    }

    private static int LargestPowerBelow(int count) => 1 << (31 - int.LeadingZeroCount(count - 1));

    private static JsonObject Write(LogEntry entry, string kind, bool withProof)
    {
        var json = new JsonObject
        {
            ["logIndex"] = entry.Index.ToString(CultureInfo.InvariantCulture),
            ["logId"] = new JsonObject { ["keyId"] = Convert.ToBase64String(entry.LogId) },
            ["kindVersion"] = new JsonObject { ["kind"] = kind, ["version"] = "0.0.1" },
            ["integratedTime"] = entry.IntegratedTime.ToString(CultureInfo.InvariantCulture),
            ["inclusionPromise"] = new JsonObject { ["signedEntryTimestamp"] = Convert.ToBase64String(entry.Promise ?? []) },
            ["canonicalizedBody"] = Convert.ToBase64String(entry.Body),
        };
        if (withProof)
        {
            json["inclusionProof"] = new JsonObject
            {
                ["logIndex"] = entry.Proof!.Index.ToString(CultureInfo.InvariantCulture),
                ["rootHash"] = Convert.ToBase64String(entry.Proof.RootHash),
                ["treeSize"] = entry.Proof.TreeSize.ToString(CultureInfo.InvariantCulture),
                ["hashes"] = new JsonArray([.. entry.Proof.Hashes.Select(h => JsonValue.Create(Convert.ToBase64String(h)))]),
                ["checkpoint"] = new JsonObject { ["envelope"] = entry.Proof.Checkpoint },
            };
        }

        return json;
    }

    private CertificateRequest Request(ECDsa signer, string subject, string issuer)
    {
        var request = new CertificateRequest(new X500DistinguishedName([0x30, 0x00]), signer, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3")], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Authority, true, false));
        var names = new SubjectAlternativeNameBuilder();
        if (subject.Contains("://", StringComparison.Ordinal))
            names.AddUri(new Uri(subject));
        else
            names.AddEmailAddress(subject);
        request.CertificateExtensions.Add(names.Build(critical: true));
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.4.1.57264.1.1", Encoding.UTF8.GetBytes(issuer), false));
        var text = new AsnWriter(AsnEncodingRules.DER);
        text.WriteCharacterString(UniversalTagNumber.UTF8String, issuer);
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.4.1.57264.1.8", text.Encode(), false));
        return request;
    }

    private byte[] TimestampList(X509Certificate2 before, DateTimeOffset when)
    {
        var tbs = new AsnReader(before.RawDataMemory, AsnEncodingRules.DER).ReadSequence().ReadEncodedValue().ToArray();
        var time = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(time, when.ToUnixTimeMilliseconds());
        byte[] signed =
            [0, 0, .. time, 0, 1, .. SHA256.HashData(Authority.PublicKey.ExportSubjectPublicKeyInfo()), (byte)(tbs.Length >> 16), (byte)(tbs.Length >> 8), (byte)tbs.Length, .. tbs, 0, 0];
        var signature = Sign(_ctKey, signed);
        byte[] timestamp = [0, .. SHA256.HashData(_ctKey.ExportSubjectPublicKeyInfo()), .. time, 0, 0, 4, 3, (byte)(signature.Length >> 8), (byte)signature.Length, .. signature];
        byte[] list = [(byte)((timestamp.Length + 2) >> 8), (byte)(timestamp.Length + 2), (byte)(timestamp.Length >> 8), (byte)timestamp.Length, .. timestamp];
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteOctetString(list);
        return writer.Encode();
    }

    private static JsonObject Log(ECDsa key, string url) => new()
    {
        ["baseUrl"] = url,
        ["hashAlgorithm"] = "SHA2_256",
        ["publicKey"] = new JsonObject
        {
            ["rawBytes"] = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()),
            ["keyDetails"] = "PKIX_ECDSA_P256_SHA_256",
            ["validFor"] = new JsonObject { ["start"] = Time(Now.AddYears(-1)) },
        },
        ["logId"] = new JsonObject { ["keyId"] = Convert.ToBase64String(SHA256.HashData(key.ExportSubjectPublicKeyInfo())) },
    };

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static byte[] Sign(ECDsa key, byte[] data) => key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
}
