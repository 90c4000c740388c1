using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Images.Signatures;
using Kist.Oci;

namespace Kist.Images.Tests;

/// <summary>Entries of Rekor's version 2, timestamps by openssl, and keys of Ed25519.</summary>
public sealed class RekorTilesTests : IDisposable
{
    private readonly SigstoreStandIn _sigstore = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly Digest _digest = Digest.Of("an image"u8);

    public void Dispose()
    {
        _sigstore.Dispose();
        _key.Dispose();
    }

    // A checkpoint of Sigstore's public log, and its key from the public trusted root.
    [Theory]
    [InlineData("log2025-1.rekor.sigstore.dev\n412115\n", true)]
    [InlineData("log2025-1.rekor.sigstore.dev\n412116\n", false)]
    [InlineData("log2025-2.rekor.sigstore.dev\n412115\n", false)]
    public void Checkpoint_OfThePublicLog_IsSignedByItsKey(string head, bool isGood)
    {
        var log = new LogKey(Convert.FromBase64String("MCowBQYDK2VwAyEAt8rlp1knGwjfbcXAYPYAkn0XiLz1x8O4t0YkEhie244="));
        Assert.Equal("zxGZFVvd0FEmjR8WrFwMdcAJ9vtaY/QXf44Y1wUeP6A=", Convert.ToBase64String(log.IdOf("log2025-1.rekor.sigstore.dev")));
        var checkpoint = Checkpoint.TryRead(
            head + "+8vUkEgBK/ansexBUomzocaWoPEmPIzxJC/y+xNMQN4=\n\n"
            + "— log2025-1.rekor.sigstore.dev zxGZFahCZ/+MqTjH4rC5MWcdLDWbpetE5l30RZfQc4BQkRjWSoKipEUPjvHENeZDHIlAsuezJcLzUVvItpNjaSRoMAs=\n")!;
        Assert.Equal(isGood, checkpoint.IsSignedBy(log));
    }

    [Theory]
    [InlineData("nothing", null)]
    [InlineData("dsse", null)]
    [InlineData("no timestamp", "nor a timestamp authority")]
    [InlineData("timestamp of another signature", "of another signature")]
    [InlineData("timestamp by a stranger", "not by a trusted authority")]
    [InlineData("timestamp damaged", "timestamp")]
    [InlineData("timestamp when the certificate had expired", "was not valid")]
    [InlineData("no entry", "no transparency log has")]
    [InlineData("entry without proof", "neither promise nor proof")]
    [InlineData("entry of another signature", "another artifact")]
    [InlineData("entry of another signer", "another signer")]
    [InlineData("root changed", "does not lead")]
    [InlineData("checkpoint of another log", "log that is not trusted")]
    [InlineData("checkpoint unsigned", "not signed by the log")]
    [InlineData("log not trusted", "log that is not trusted")]
    public void Verify_Attack_IsRefusedWithItsReason(string attack, string? reason)
    {
        using var other = new SigstoreStandIn();
        using var certificate = _sigstore.Issue(_key, when: attack == "timestamp when the certificate had expired" ? SigstoreStandIn.Now.AddHours(-1) : null);
        using var anothersCertificate = _sigstore.Issue(_key);
        var bundle = (attack == "log not trusted" ? other : _sigstore).TilesBundle(
            _digest, _key, certificate, hashedRekord: attack != "dsse", attack == "timestamp by a stranger" ? other : _sigstore);
        var signature = SigstoreBundle.Parse(bundle);
        var entry = signature.LogEntries[0];
        signature = attack switch
        {
            "no timestamp" => signature with { Timestamps = [] },
            "timestamp of another signature" => signature with { Timestamps = [_sigstore.Stamp([1, 2, 3])] },
            "timestamp damaged" => signature with { Timestamps = [[.. signature.Timestamps[0][..^1], (byte)(signature.Timestamps[0][^1] ^ 1)]] },
            "no entry" => signature with { LogEntries = [] },
            "entry without proof" => signature with { LogEntries = [entry with { Proof = null }] },
            "entry of another signature" => signature with { LogEntries = [_sigstore.LogToTiles("something else"u8.ToArray(), signature.Signature, certificate)] },
            "entry of another signer" => signature with { LogEntries = [_sigstore.LogToTiles(signature.SignedBytes, signature.Signature, anothersCertificate)] },
            "root changed" => signature with { LogEntries = [entry with { Proof = entry.Proof! with { RootHash = new byte[32] } }] },
            "checkpoint of another log" => signature with { LogEntries = [WithCheckpoint(entry, c => c.Replace("tiles.example.com\n", "other.example.com\n", StringComparison.Ordinal))] },
            "checkpoint unsigned" => signature with { LogEntries = [WithCheckpoint(entry, c => c[..c.IndexOf("— tiles", StringComparison.Ordinal)])] },
            _ => signature,
        };
        using var trust = Trust(SigstoreTrustRoot.Parse(_sigstore.TrustedRoot()));
        var refused = new SigstoreVerifier(TimeProvider.System).Verify(signature, trust);
        if (reason is null)
            Assert.Null(refused);
        else
            Assert.Contains(reason, refused, StringComparison.Ordinal);
    }

    [Fact]
    public void Timestamp_OfATrustedAuthority_IsAtItsTime()
    {
        var root = SigstoreTrustRoot.Parse(_sigstore.TrustedRoot());
        byte[] signature = [1, 2, 3];
        var (reason, time) = TimestampVerifier.Verify(_sigstore.Stamp(signature), signature, root.TimestampAuthorities);
        Assert.Null(reason);
        Assert.InRange(time!.Value, SigstoreStandIn.Now.AddMinutes(-1), SigstoreStandIn.Now.AddMinutes(10));
        // The same authority's certificates, but for signing.
        Assert.NotNull(TimestampVerifier.Verify(_sigstore.Stamp(signature), signature, root.Authorities).Reason);
    }

    [Fact]
    public void Timestamp_CutAnywhere_IsRefused()
    {
        var root = SigstoreTrustRoot.Parse(_sigstore.TrustedRoot());
        byte[] signature = [1, 2, 3];
        var response = _sigstore.Stamp(signature);
        for (var length = 0; length < response.Length; length++)
            Assert.NotNull(TimestampVerifier.Verify(response[..length], signature, root.TimestampAuthorities).Reason);
    }

    [Fact]
    public void Ed25519_SignatureByOpenssl_IsVerified()
    {
        using var directory = new Kist.Testing.TemporaryDirectory();
        Kist.Testing.ExternalProgram.Run("openssl", ["genpkey", "-algorithm", "ed25519", "-out", directory["key.pem"]]);
        Kist.Testing.ExternalProgram.Run("openssl", ["pkey", "-in", directory["key.pem"], "-pubout", "-out", directory["public.pem"]]);
        var payload = "payload"u8.ToArray();
        File.WriteAllBytes(directory["payload"], payload);
        Kist.Testing.ExternalProgram.Run("openssl", ["pkeyutl", "-sign", "-inkey", directory["key.pem"], "-rawin", "-in", directory["payload"], "-out", directory["signature"]]);
        var signature = File.ReadAllBytes(directory["signature"]);
        using var key = CosignSignatures.ReadPublicKey(File.ReadAllBytes(directory["public.pem"]));
        Assert.True(SigstoreVerifier.IsSignedBy(new CosignSignature(payload, signature), key));
        Assert.False(SigstoreVerifier.IsSignedBy(new CosignSignature([.. payload, 0], signature), key));
        signature[5] ^= 1;
        Assert.False(SigstoreVerifier.IsSignedBy(new CosignSignature(payload, signature), key));
        Assert.False(SigstoreVerifier.IsSignedBy(new CosignSignature(payload, []), key));
    }

    [Theory]
    [InlineData("\"subject\": \"builder@example.com\"", true)]
    [InlineData("\"subjectEmail\": \"builder@example.com\"", true)]
    [InlineData("\"subject\": \"builder@example.com\", \"subjectEmail\": \"builder@example.com\"", false)]
    [InlineData("\"subject\": \"builder@example.com\", \"caData\": \"YQ==\"", false)]
    public void PolicyFile_WithTrustedRoot_IsReadIfItNamesOneSigner(string signer, bool isGood)
    {
        var policy = Encoding.UTF8.GetBytes($$$"""
            {"default": [{"type": "sigstoreSigned", "signedIdentity": {"type": "matchDigest"},
              "fulcio": {"trustedRootData": "{{{Convert.ToBase64String(_sigstore.TrustedRoot())}}}", "oidcIssuer": "{{{SigstoreStandIn.Issuer}}}", {{{signer}}} } }]}
            """);
        if (isGood)
            Assert.NotNull(ImagePolicy.Parse(policy));
        else
            Assert.Throws<MalformedDataException>(() => ImagePolicy.Parse(policy));
    }

    private static LogEntry WithCheckpoint(LogEntry entry, Func<string, string> change) =>
        entry with { Proof = entry.Proof! with { Checkpoint = change(entry.Proof.Checkpoint) } };

    private static SigstoreTrust Trust(SigstoreTrustRoot root) => new()
    {
        Logs = root.Logs,
        IsLogRequired = true,
        TimestampAuthorities = root.TimestampAuthorities,
        Certificates = new CertificateTrust { Authorities = root.Authorities, CertificateLogs = root.CertificateLogs, OidcIssuer = SigstoreStandIn.Issuer, Subject = SigstoreStandIn.Subject },
    };
}
