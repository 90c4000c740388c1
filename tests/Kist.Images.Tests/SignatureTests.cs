using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Images.Signatures;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

public sealed class SignatureTests
{
    [Fact]
    public void Policy_EveryKindOfRequirement_IsRead()
    {
        Assert.Single(ImagePolicy.Parse(Evidence.Read("oci/policy/policy.json")).RequirementsFor(ImageReference.Parse("nowhere.example/x")));
        var policy = ImagePolicy.Parse(Evidence.Read("oci/fixtures/policy.json"));
        Assert.IsType<RejectRequirement>(Assert.Single(policy.RequirementsFor(ImageReference.Parse("nowhere.example/x"))));
        Assert.IsType<AcceptAnythingRequirement>(Assert.Single(policy.RequirementsFor(ImageReference.Parse("example.com/playground/a/b:1"))));
        Assert.Equal(3, policy.RequirementsFor(ImageReference.Parse("example.com/hardened:1")).Count);
        Assert.IsType<UnsupportedRequirement>(policy.RequirementsFor(ImageReference.Parse("sub.access.redhat.com/x"))[0]);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"default":[]}""")]
    [InlineData("""{"default":[{"type":"unknown"}]}""")]
    [InlineData("""{"default":[{"type":"reject","more":1}]}""")]
    [InlineData("""{"default":[{"type":"reject"}],"other":{}}""")]
    [InlineData("""{"default":[{"type":"reject"}],"default":[{"type":"insecureAcceptAnything"}]}""")]
    [InlineData("""{"default":[{"type":"sigstoreSigned"}]}""")]
    [InlineData("""{"default":[{"type":"sigstoreSigned","keyPath":"a","keyData":"YQ=="}]}""")]
    [InlineData("""{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"a","signedIdentity":{"type":"x"}}]}""")]
    [InlineData("""{"default":[{"type":"signedBy","keyType":"GPGKeys","keyData":"!"}]}""")]
    public void Policy_Wrong_IsMalformed(string json) => Assert.Throws<MalformedDataException>(() => ImagePolicy.Parse(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("exact", "r.io/a:1", "r.io/a:1", true)]
    [InlineData("exact", "r.io/a:1", "r.io/a:2", false)]
    [InlineData("exact", "r.io/a:1", "r.io/a", false)]
    [InlineData("default", "r.io/a@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "r.io/a:5", true)]
    [InlineData("default", "r.io/a:1", "r.io/a:2", false)]
    [InlineData("repository", "r.io/a:1", "r.io/a:2", true)]
    [InlineData("repository", "r.io/a:1", "r.io/b:1", false)]
    [InlineData("remap", "mirror.io/x/a:1", "r.io/a:1", true)]
    [InlineData("remap", "mirror.io/xy/a:1", "r.io/a:1", false)]
    [InlineData("exact", "r.io/a:1", "not a reference", false)]
    public void Identity_Names_AreCompared(string kind, string image, string signedName, bool expected)
    {
        var identity = kind switch
        {
            "exact" => SignedIdentity.MatchExact,
            "repository" => SignedIdentity.MatchRepository,
            "remap" => SignedIdentity.Remap("mirror.io/x", "r.io"),
            _ => SignedIdentity.MatchRepoDigestOrExact,
        };
        Assert.Equal(expected, identity.Matches(ImageReference.Parse(image), signedName));
    }

    [Fact]
    public void Cosign_EvidenceSignature_IsByTheRightKeyOnly()
    {
        var (payload, signature) = ReadDirectorySignature(Evidence.Read("oci/cosign/dir-img-cosign-valid/signature-1"));
        using var right = CosignSignatures.ReadPublicKey(Evidence.Read("oci/cosign/cosign.pub"));
        using var wrong = CosignSignatures.ReadPublicKey(Evidence.Read("oci/cosign/cosign2.pub"));
        var signed = CosignSignatures.Verify(new CosignSignature(payload, signature), right);
        Assert.Equal("192.168.64.2:5000/cosign-signed-single-sample", signed!.Reference);
        Assert.True(signed.ManifestDigest.Matches(Evidence.Read("oci/cosign/dir-img-cosign-valid/manifest.json")));
        Assert.False(signed.ManifestDigest.Matches(Evidence.Read("oci/cosign/dir-img-cosign-modified-manifest/manifest.json")));
        Assert.Null(CosignSignatures.Verify(new CosignSignature(payload, signature), wrong));
        for (var i = 0; i < payload.Length; i++)
        {
            payload[i] ^= 1;
            Assert.Null(CosignSignatures.Verify(new CosignSignature(payload, signature), right));
            payload[i] ^= 1;
        }
    }

    [Theory]
    [InlineData("oci/fixtures/image.signature", "oci/fixtures/public-key.gpg", true)]
    [InlineData("oci/fixtures/image.signature", "oci/simple/pubring.gpg", false)]
    [InlineData("oci/fixtures/corrupt.signature", "oci/fixtures/public-key.gpg", false)]
    [InlineData("oci/fixtures/expired.signature", "oci/fixtures/public-key.gpg", false)]
    public void OpenPgp_EvidenceSignature_IsJudged(string signature, string ring, bool expected)
    {
        var (payload, reason) = new OpenPgpVerifier(TimeProvider.System).Verify(Evidence.Read(signature), [Evidence.Read(ring)]);
        Assert.Equal(expected, payload is not null);
        Assert.Equal(expected, reason is null);
        if (payload is not null)
            Assert.True(SignaturePayload.Parse(payload, SignaturePayload.SimpleType).ManifestDigest.Matches(Evidence.Read("oci/fixtures/image.manifest.json")));
    }

    [Fact]
    public void OpenPgp_AnyByteChanged_IsRefused()
    {
        var signature = Evidence.Read("oci/fixtures/image.signature");
        var ring = Evidence.Read("oci/fixtures/public-key.gpg");
        var verifier = new OpenPgpVerifier(TimeProvider.System);
        var original = verifier.Verify(signature, [ring]).Payload;
        for (var i = 0; i < signature.Length; i++)
        {
            var changed = (byte[])signature.Clone();
            changed[i] ^= 0x10;
            var payload = verifier.Verify(changed, [ring]).Payload;
            // Unsigned parts (packet framing, unhashed hints) may change; what was signed may not.
            Assert.True(payload is null || payload.AsSpan().SequenceEqual(original), $"byte {i}");
        }
    }

    [Theory]
    [InlineData("right key", true)]
    [InlineData("another key", false)]
    [InlineData("not signed", false)]
    [InlineData("another name", false)]
    public async Task Pull_UnderAPolicy_NeedsTheSignature(string condition, bool accepted)
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var directory = new TemporaryDirectory();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var repository = await PushAsync(registry, directory);
        var manifest = await repository.ResolveAsync(TestContext.Current.CancellationToken);
        if (condition != "not signed")
        {
            var name = condition == "another name" ? $"{registry.Host}/elsewhere:1" : repository.Reference.ToString();
            await CosignSignatures.SignAsync(repository, manifest.Digest, name, other, TestContext.Current.CancellationToken);
            if (condition != "another key")
                await CosignSignatures.SignAsync(repository, manifest.Digest, name, key, TestContext.Current.CancellationToken);
        }

        var policy = ImagePolicy.Parse(Encoding.UTF8.GetBytes(
            $$"""{"default": [{"type": "reject"}], "transports": {"docker": {"{{registry.Host}}": [{"type": "sigstoreSigned", "keyData": "{{Convert.ToBase64String(Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()))}}"}]} } }"""));
        var options = new PullOptions { Policy = new PolicyEvaluator(policy, new NoPolicyKeys()) };
        var pull = ImagePuller.PullAsync(repository, [], directory["out"], options, null, TestContext.Current.CancellationToken);
        if (accepted)
            Assert.Equal(manifest.Digest, (await pull).ManifestDigest);
        else
            Assert.False((await Assert.ThrowsAsync<ImageRefusedException>(() => pull)).Verdict.IsAccepted);
    }

    [Fact]
    public async Task Skopeo_SignsByGpg_IsVerifiedThroughTheLookaside()
    {
        ExternalProgram.Require("gpg");
        await using var registry = await LocalRegistry.StartAsync();
        using var directory = new TemporaryDirectory();
        using var repository = await PushAsync(registry, directory);
        Directory.CreateDirectory(directory["gpg"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(directory["registries.d"]);
        await File.WriteAllTextAsync(directory["registries.d/a.yaml"], $"default-docker:\n  lookaside-staging: file://{directory["store"]}\n  lookaside: file://{directory["store"]}\n  sigstore-staging: file://{directory["store"]}\n  sigstore: file://{directory["store"]}\n", TestContext.Current.CancellationToken);
        var environment = new Dictionary<string, string> { ["GNUPGHOME"] = directory["gpg"] };
        ExternalProgram.Run("gpg", ["--batch", "--passphrase", "", "--quick-generate-key", "kist@example.com", "rsa2048"], environment);
        await File.WriteAllBytesAsync(directory["ring.gpg"], Encoding.Latin1.GetBytes(ExternalProgram.Run("gpg", ["--armor", "--export", "kist@example.com"], environment)), TestContext.Current.CancellationToken);
        var signed = $"{registry.Host}/signed/app:1";
        ExternalProgram.Run(
            "skopeo",
            ["--registries.d", directory["registries.d"], "copy", "--insecure-policy", "--src-tls-verify=false", "--dest-tls-verify=false", "--sign-by", "kist@example.com", $"docker://{repository.Reference}", $"docker://{signed}"],
            environment);

        var stores = RegistriesConfiguration.FromDirectory(directory["registries.d"]);
        var policy = ImagePolicy.Parse(Encoding.UTF8.GetBytes($$"""{"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "{{directory["ring.gpg"]}}"}]}"""));
        var evaluator = new PolicyEvaluator(policy, new FileKeys(), new LookasideStore(stores.LookasideFor), new OpenPgpVerifier(TimeProvider.System));
        using var signedRepository = new RegistryRepository(ImageReference.Parse(signed), new RegistryOptions());
        var digest = (await signedRepository.ResolveAsync(TestContext.Current.CancellationToken)).Digest;
        var verdict = await evaluator.EvaluateAsync(signedRepository, [digest], TestContext.Current.CancellationToken);
        Assert.True(verdict.IsAccepted, verdict.Findings[0].Reason);
        Assert.False((await evaluator.EvaluateAsync(repository, [digest], TestContext.Current.CancellationToken)).IsAccepted);
        Assert.False((await new PolicyEvaluator(policy, new FileKeys()).EvaluateAsync(signedRepository, [digest], TestContext.Current.CancellationToken)).IsAccepted);
    }

    /// <summary>Debian 12 has no cosign, and its skopeo is built with sigstore disabled: openssl judges the bytes.</summary>
    [Fact]
    public async Task Sign_ByKist_IsVerifiedByOpenssl()
    {
        ExternalProgram.Require("skopeo");
        await using var registry = await LocalRegistry.StartAsync();
        using var directory = new TemporaryDirectory();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var repository = await PushAsync(registry, directory);
        var manifest = await repository.ResolveAsync(TestContext.Current.CancellationToken);
        await CosignSignatures.SignAsync(repository, manifest.Digest, repository.Reference.ToString(), key, TestContext.Current.CancellationToken);

        ExternalProgram.Run("skopeo", ["copy", "--insecure-policy", "--src-tls-verify=false", $"docker://{registry.Host}/app:{CosignSignatures.TagOf(manifest.Digest)}", $"dir:{directory["sig"]}"]);
        var layer = ImageManifest.Parse(await File.ReadAllBytesAsync(directory["sig/manifest.json"], TestContext.Current.CancellationToken)).Layers[0];
        await File.WriteAllTextAsync(directory["key.pub"], key.ExportSubjectPublicKeyInfoPem(), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(directory["signature"], Convert.FromBase64String(layer.Annotations!["dev.cosignproject.cosign/signature"]), TestContext.Current.CancellationToken);
        Assert.Contains(
            "Verified OK",
            ExternalProgram.Run("openssl", ["dgst", "-sha256", "-verify", directory["key.pub"], "-signature", directory["signature"], directory["sig/" + layer.Digest.Hex]]),
            StringComparison.Ordinal);
        Assert.Equal(
            $$$"""{"critical":{"identity":{"docker-reference":"{{{repository.Reference}}}"},"image":{"docker-manifest-digest":"{{{manifest.Digest}}}"},"type":"cosign container image signature"},"optional":{}}""",
            await File.ReadAllTextAsync(directory["sig/" + layer.Digest.Hex], TestContext.Current.CancellationToken));
    }

    private static async Task<RegistryRepository> PushAsync(LocalRegistry registry, TemporaryDirectory directory)
    {
        Directory.CreateDirectory(directory["tree"]);
        await File.WriteAllTextAsync(directory["tree/file"], "x");
        var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/app:1"), new RegistryOptions());
        await ImageBuilder.BuildAsync([directory["tree"]], repository, new ImageBuildOptions(), TestContext.Current.CancellationToken);
        return repository;
    }

    // containers/image's dir: transport: a NUL, "sigstore-json", a newline, and JSON of MIME type, payload and annotations.
    private static (byte[] Payload, byte[] Signature) ReadDirectorySignature(byte[] file)
    {
        using var json = System.Text.Json.JsonDocument.Parse(file.AsMemory(Array.IndexOf(file, (byte)'\n') + 1));
        return (
            json.RootElement.GetProperty("payload").GetBytesFromBase64(),
            json.RootElement.GetProperty("annotations").GetProperty("dev.cosignproject.cosign/signature").GetBytesFromBase64());
    }

    private sealed class NoPolicyKeys : IPolicyKeySource
    {
        public Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken) => throw new OperationFailedException("read key", path, "there is none");
    }

    private sealed class FileKeys : IPolicyKeySource
    {
        public Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken) => File.ReadAllBytesAsync(path, cancellationToken);
    }
}
