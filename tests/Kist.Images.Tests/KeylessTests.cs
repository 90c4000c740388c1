using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Kist.Formats;
using Kist.Images.Signatures;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

/// <summary>Signatures by short-lived certificates, with a trusted root that is given; what the stand-in makes, cosign verifies too.</summary>
public sealed class KeylessTests : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly TemporaryDirectory _directory = new();
    private readonly SigstoreStandIn _sigstore = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose()
    {
        _directory.Dispose();
        _sigstore.Dispose();
        _key.Dispose();
    }

    [Theory]
    [InlineData("annotations")]
    [InlineData("0.1")]
    [InlineData("0.2")]
    [InlineData("0.3")]
    [InlineData("tiles")]
    public async Task Signed_KistAndCosignAcceptTheSigner_AndNobodyElse(string form)
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var repository = await PushAsync(registry);
        var manifest = await repository.ResolveAsync(Cancel);
        using var certificate = _sigstore.Issue(_key);
        if (form == "annotations")
            await PushAnnotationsAsync(repository, manifest.Digest, certificate);
        else if (form == "tiles")
            await PushBundleAsync(repository, manifest, _sigstore.TilesBundle(manifest.Digest, _key, certificate, hashedRekord: true));
        else
            await PushBundleAsync(repository, manifest, _sigstore.Bundle(manifest.Digest, _key, certificate, form));

        var root = SigstoreTrustRoot.Parse(_sigstore.TrustedRoot());
        Assert.True((await JudgeAsync(repository, ImagePolicy.ForSigner(root, SigstoreStandIn.Subject, SigstoreStandIn.Issuer))).IsAccepted);
        Assert.False((await JudgeAsync(repository, ImagePolicy.ForSigner(root, "other@example.com", SigstoreStandIn.Issuer))).IsAccepted);
        Assert.False((await JudgeAsync(repository, ImagePolicy.ForSigner(root, SigstoreStandIn.Subject, "https://other.example.com"))).IsAccepted);
        using var stranger = new SigstoreStandIn();
        Assert.False((await JudgeAsync(repository, ImagePolicy.ForSigner(SigstoreTrustRoot.Parse(stranger.TrustedRoot()), SigstoreStandIn.Subject, SigstoreStandIn.Issuer))).IsAccepted);

        if (form is "0.1" or "0.2")
            return; // cosign looks for bundles of version 0.3 only.
        await File.WriteAllBytesAsync(_directory["root.json"], _sigstore.TrustedRoot(), Cancel);
        await File.WriteAllTextAsync(_directory["authority.pem"], _sigstore.Authority.ExportCertificatePem(), Cancel);
        await File.WriteAllBytesAsync(_directory["rekor.pem"], _sigstore.LogPem, Cancel);
        await File.WriteAllBytesAsync(_directory["ct.pem"], _sigstore.CertificateLogPem, Cancel);
        var environment = new Dictionary<string, string>
        {
            ["SIGSTORE_ROOT_FILE"] = _directory["authority.pem"],
            ["SIGSTORE_REKOR_PUBLIC_KEY"] = _directory["rekor.pem"],
            ["SIGSTORE_CT_LOG_PUBLIC_KEY_FILE"] = _directory["ct.pem"],
        };
        string[] root3 = form == "annotations" ? [] : ["--trusted-root", _directory["root.json"], .. form == "tiles" ? ["--use-signed-timestamps"] : Array.Empty<string>()];
        var (exitCode, output, error) = ExternalProgram.TryRun(
            form == "annotations" ? Interop.Cosign : Interop.Cosign3,
            ["verify", .. root3, "--certificate-identity", SigstoreStandIn.Subject, "--certificate-oidc-issuer", SigstoreStandIn.Issuer, repository.Reference.ToString()], environment);
        Assert.True(exitCode == 0, error + output);
    }

    [Fact]
    public async Task PolicyFile_WithFulcioAndRekor_JudgesTheSigner()
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var repository = await PushAsync(registry);
        using var certificate = _sigstore.Issue(_key);
        await PushAnnotationsAsync(repository, (await repository.ResolveAsync(Cancel)).Digest, certificate);
        Assert.True((await JudgeAsync(repository, Policy(SigstoreStandIn.Subject, _sigstore))).IsAccepted);
        Assert.False((await JudgeAsync(repository, Policy("other@example.com", _sigstore))).IsAccepted);
        using var stranger = new SigstoreStandIn();
        Assert.False((await JudgeAsync(repository, Policy(SigstoreStandIn.Subject, stranger))).IsAccepted);
    }

    [Theory]
    [InlineData("""{"caData": "YQ==", "oidcIssuer": "x", "subjectEmail": "y"}""", "")]
    [InlineData("""{"caData": "YQ==", "oidcIssuer": "x"}""", ", \"rekorPublicKeyData\": \"YQ==\"")]
    [InlineData("""{"caData": "YQ==", "subjectEmail": "y"}""", ", \"rekorPublicKeyData\": \"YQ==\"")]
    [InlineData("""{"oidcIssuer": "x", "subjectEmail": "y"}""", ", \"rekorPublicKeyData\": \"YQ==\"")]
    [InlineData("""{"caData": "YQ==", "oidcIssuer": "x", "subjectEmail": "y", "more": 1}""", ", \"rekorPublicKeyData\": \"YQ==\"")]
    [InlineData("""{"caData": "YQ==", "oidcIssuer": "x", "subjectEmail": "y"}""", ", \"rekorPublicKeyData\": \"YQ==\", \"keyPath\": \"a\"")]
    public void PolicyFile_WithHalfATrust_IsMalformed(string fulcio, string more) => Assert.Throws<MalformedDataException>(
        () => ImagePolicy.Parse(Encoding.UTF8.GetBytes($$$"""{"default": [{"type": "sigstoreSigned", "fulcio": {{{fulcio}}}{{{more}}} }]}""")));

    [Theory]
    [InlineData("nothing", null)]
    [InlineData("signature by another key", "not by the certificate")]
    [InlineData("certificate of another authority", "not by a trusted authority")]
    [InlineData("certificate without timestamp", "made the certificate public")]
    [InlineData("certificate expired when logged", "was not valid")]
    [InlineData("no log entry", "no transparency log has")]
    [InlineData("entry of another signature", "another artifact")]
    [InlineData("promise changed", "promise is not signed")]
    [InlineData("time changed", "promise is not signed")]
    [InlineData("promise left out", "vouches for the time")]
    [InlineData("proof's root changed", "does not lead")]
    [InlineData("proof too short", "does not lead")]
    [InlineData("checkpoint of another size", "another tree")]
    [InlineData("checkpoint unsigned", "not signed by the log")]
    [InlineData("log not trusted", "log that is not trusted")]
    public void Verify_Attack_IsRefusedWithItsReason(string attack, string? reason)
    {
        var payload = Encoding.UTF8.GetBytes("payload");
        using var other = new SigstoreStandIn();
        using var certificate = (attack == "certificate of another authority" ? other : _sigstore).Issue(_key, withTimestamp: attack != "certificate without timestamp");
        using var strangersKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signature = Sign(attack == "signature by another key" ? strangersKey : _key, payload);
        var when = SigstoreStandIn.Now.AddMinutes(attack == "certificate expired when logged" ? 6 : 0);
        var entry = attack == "entry of another signature"
            ? _sigstore.LogHashedRekord("something else"u8.ToArray(), signature, certificate)
            : (attack == "log not trusted" ? other : _sigstore).LogHashedRekord(payload, signature, certificate, when);
        entry = attack switch
        {
            "promise changed" => entry with { Promise = [.. entry.Promise![..^1], (byte)(entry.Promise[^1] ^ 1)] },
            "time changed" => entry with { IntegratedTime = entry.IntegratedTime + 1 },
            "promise left out" => entry with { Promise = null },
            "proof's root changed" => entry with { Proof = entry.Proof! with { RootHash = new byte[32] } },
            "proof too short" => entry with { Proof = entry.Proof! with { Hashes = [.. entry.Proof.Hashes.Skip(1)] } },
            "checkpoint of another size" => entry with { Proof = entry.Proof! with { Checkpoint = entry.Proof.Checkpoint.Replace("\n5\n", "\n6\n", StringComparison.Ordinal) } },
            "checkpoint unsigned" => entry with { Proof = entry.Proof! with { Checkpoint = entry.Proof.Checkpoint.Replace("rekor.example.com - 1", "rekor.example.com - 2", StringComparison.Ordinal) } },
            _ => entry,
        };
        var root = SigstoreTrustRoot.Parse(_sigstore.TrustedRoot());
        using var trust = new SigstoreTrust
        {
            Logs = root.Logs,
            IsLogRequired = true,
            Certificates = new CertificateTrust { Authorities = root.Authorities, CertificateLogs = root.CertificateLogs, OidcIssuer = SigstoreStandIn.Issuer, Subject = SigstoreStandIn.Subject },
        };
        var refused = new SigstoreVerifier(TimeProvider.System).Verify(
            new CosignSignature(payload, signature) { Certificate = certificate.RawData, LogEntries = attack == "no log entry" ? [] : [entry] }, trust);
        if (reason is null)
            Assert.Null(refused);
        else
            Assert.Contains(reason, refused, StringComparison.Ordinal);
    }

    [Fact]
    public void Bundle_AnyPartMissing_IsMalformedOrRefused()
    {
        using var certificate = _sigstore.Issue(_key, "https://github.com/a/b/.github/workflows/c.yml@refs/heads/main");
        var digest = Digest.Of("x"u8);
        _sigstore.LogHashedRekord("an earlier entry"u8.ToArray(), [], certificate);
        var json = JsonNode.Parse(_sigstore.Bundle(digest, _key, certificate, "0.3"))!;
        using var trust = new SigstoreTrust { Logs = SigstoreTrustRoot.Parse(_sigstore.TrustedRoot()).Logs, IsLogRequired = true, Certificates = TrustIn("https://github.com/a/b/.github/workflows/c.yml@refs/heads/main") };
        Assert.Null(new SigstoreVerifier(TimeProvider.System).Verify(SigstoreBundle.Parse(Encoding.UTF8.GetBytes(json.ToJsonString())), trust));
        var parts = 0;
        foreach (var (parent, name) in Members(json).ToList())
        {
            var value = parent[name];
            parent.Remove(name);
            string? refused;
            try
            {
                refused = new SigstoreVerifier(TimeProvider.System).Verify(SigstoreBundle.Parse(Encoding.UTF8.GetBytes(json.ToJsonString())), trust);
            }
            catch (MalformedDataException e)
            {
                refused = e.Message;
            }

            // The proof as a whole may be missing where there is a promise, and what only repeats the entry's own words.
            Assert.True(refused is not null || name is "inclusionProof" or "kindVersion" or "kind" or "version", name);
            parent[name] = value;
            parts++;
        }

        Assert.True(parts > 20);
    }

    private static IEnumerable<(JsonObject Parent, string Name)> Members(JsonNode node)
    {
        var children = node is JsonObject o ? o.Select(p => p.Value) : node is JsonArray a ? a : [];
        foreach (var child in children.OfType<JsonNode>())
        {
            foreach (var member in Members(child))
                yield return member;
        }

        if (node is JsonObject parent)
        {
            foreach (var (name, _) in parent)
                yield return (parent, name);
        }
    }

    private CertificateTrust TrustIn(string subject)
    {
        var root = SigstoreTrustRoot.Parse(_sigstore.TrustedRoot());
        return new CertificateTrust { Authorities = root.Authorities, CertificateLogs = root.CertificateLogs, OidcIssuer = SigstoreStandIn.Issuer, Subject = subject };
    }

    private static ImagePolicy Policy(string email, SigstoreStandIn sigstore) => ImagePolicy.Parse(Encoding.UTF8.GetBytes($$"""
        {"default": [{"type": "sigstoreSigned", "signedIdentity": {"type": "matchRepository"},
          "fulcio": {"caData": "{{Convert.ToBase64String(Encoding.ASCII.GetBytes(sigstore.Authority.ExportCertificatePem()))}}", "oidcIssuer": "{{SigstoreStandIn.Issuer}}", "subjectEmail": "{{email}}"},
          "rekorPublicKeyData": "{{Convert.ToBase64String(sigstore.LogPem)}}"}]}
        """));

    private async Task PushAnnotationsAsync(RegistryRepository repository, Digest manifest, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
    {
        var payload = new SignaturePayload(manifest, repository.Reference.Name).ToBytes(SignaturePayload.CosignType);
        var signature = Sign(_key, payload);
        var layer = new Descriptor
        {
            MediaType = "application/vnd.dev.cosign.simplesigning.v1+json",
            Digest = Digest.Of(payload),
            Size = payload.Length,
            Annotations = SigstoreStandIn.Annotations(signature, certificate, _sigstore.Authority, _sigstore.LogHashedRekord(payload, signature, certificate)),
        };
        await PushAsync(repository, layer, payload);
        var configuration = new ImageConfiguration { Rootfs = new RootFileSystemDigests { DiffIds = [layer.Digest] } }.ToBytes();
        var config = new Descriptor { MediaType = MediaTypes.Configuration, Digest = Digest.Of(configuration), Size = configuration.Length };
        await PushAsync(repository, config, configuration);
        await repository.PutManifestAsync(
            ManifestContent.Create(MediaTypes.Manifest, new ImageManifest { MediaType = MediaTypes.Manifest, Config = config, Layers = [layer] }.ToBytes()), CosignSignatures.TagOf(manifest), Cancel);
    }

    private static async Task PushBundleAsync(RegistryRepository repository, ManifestContent manifest, byte[] bundle)
    {
        var layer = new Descriptor { MediaType = SigstoreBundle.MediaType, Digest = Digest.Of(bundle), Size = bundle.Length };
        await PushAsync(repository, layer, bundle);
        var config = new Descriptor { MediaType = MediaTypes.Empty, Digest = Digest.Of("{}"u8), Size = 2 };
        await PushAsync(repository, config, "{}"u8.ToArray());
        var referrer = new ImageManifest { MediaType = MediaTypes.Manifest, ArtifactType = SigstoreBundle.MediaType, Config = config, Layers = [layer], Subject = manifest.Descriptor };
        await repository.PutReferrerAsync(ManifestContent.Create(MediaTypes.Manifest, referrer.ToBytes()), Cancel);
    }

    private static Task PushAsync(RegistryRepository repository, Descriptor blob, byte[] content) =>
        repository.PushBlobAsync(blob, _ => Task.FromResult<Stream>(new MemoryStream(content)), Cancel);

    private static byte[] Sign(ECDsa key, byte[] data) => key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    private static async Task<PolicyVerdict> JudgeAsync(RegistryRepository repository, ImagePolicy policy) =>
        await new PolicyEvaluator(policy, new NoKeys()).EvaluateAsync(repository, [(await repository.ResolveAsync(Cancel)).Digest], Cancel);

    private async Task<RegistryRepository> PushAsync(LocalRegistry registry)
    {
        Directory.CreateDirectory(_directory["tree"]);
        await File.WriteAllTextAsync(_directory["tree/file"], "content", Cancel);
        var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/app:1"), new RegistryOptions());
        await ImageBuilder.BuildAsync([_directory["tree"]], repository, new ImageBuildOptions(), Cancel);
        return repository;
    }

    private sealed class NoKeys : IPolicyKeySource
    {
        public Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken) => throw new OperationFailedException("read key", path, "there is none");
    }
}
