using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Images.Signatures;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

/// <summary>Signatures by key, against cosign of Debian 13 both ways.</summary>
public sealed class CosignTests : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private static readonly Dictionary<string, string> s_environment = new() { ["COSIGN_PASSWORD"] = "pass word" };

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("tag")]
    [InlineData("referrer")]
    public async Task SignedByCosign_IsAccepted_AndByAnotherKeyNot(string storage)
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var repository = await PushAsync(registry);
        var (_, publicKey) = GenerateKeys();
        var environment = new Dictionary<string, string>(s_environment) { ["COSIGN_EXPERIMENTAL"] = storage == "referrer" ? "1" : "0" };
        string[] mode = storage == "referrer" ? ["--registry-referrers-mode=oci-1-1"] : [];
        ExternalProgram.Run(
            Interop.Cosign, ["sign", .. mode, "--tlog-upload=false", "--key", _directory["cosign.key"], "-y", repository.Reference.ToString()], environment);
        Assert.True((await JudgeAsync(repository, ImagePolicy.ForKeys([publicKey]))).IsAccepted);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.False((await JudgeAsync(repository, ImagePolicy.ForKeys([Encoding.ASCII.GetBytes(other.ExportSubjectPublicKeyInfoPem())]))).IsAccepted);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SignedHereWithCosignsKey_CosignVerifies(bool bundle)
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var repository = await PushAsync(registry);
        var (key, publicKey) = GenerateKeys();
        using var scope = key;
        var manifest = await repository.ResolveAsync(Cancel);
        if (bundle)
            await CosignSignatures.SignByBundleAsync(repository, manifest, key, Cancel);
        else
            await CosignSignatures.SignAsync(repository, manifest.Digest, repository.Reference.Name, key, Cancel);
        Assert.True((await JudgeAsync(repository, ImagePolicy.ForKeys([publicKey]))).IsAccepted);
        var (exitCode, output, error) = ExternalProgram.TryRun(
            bundle ? Interop.Cosign3 : Interop.Cosign, ["verify", "--insecure-ignore-tlog", "--key", _directory["cosign.pub"], repository.Reference.ToString()], s_environment);
        Assert.True(exitCode == 0, error + output);
        Assert.Contains(manifest.Digest.ToString(), output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bundle_NamesNoRepository_SoAPolicyFileRefusesIt()
    {
        await using var registry = await LocalRegistry.StartAsync();
        using var repository = await PushAsync(registry);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        await CosignSignatures.SignByBundleAsync(repository, await repository.ResolveAsync(Cancel), key, Cancel);
        var pem = Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem());
        Assert.True((await JudgeAsync(repository, ImagePolicy.ForKeys([pem]))).IsAccepted);
        var policy = ImagePolicy.Parse(Encoding.UTF8.GetBytes(
            $$$"""{"default": [{"type": "sigstoreSigned", "keyData": "{{{Convert.ToBase64String(pem)}}}", "signedIdentity": {"type": "matchRepository"} }]}"""));
        var verdict = await JudgeAsync(repository, policy);
        Assert.False(verdict.IsAccepted);
        Assert.Contains("names no repository", verdict.Findings[0].Reason, StringComparison.Ordinal);

        // Unless it says, in a word of our own, that the content alone counts.
        var byDigest = ImagePolicy.Parse(Encoding.UTF8.GetBytes(
            $$$"""{"default": [{"type": "sigstoreSigned", "keyData": "{{{Convert.ToBase64String(pem)}}}", "signedIdentity": {"type": "matchDigest"} }]}"""));
        Assert.True((await JudgeAsync(repository, byDigest)).IsAccepted);
    }

    [Fact]
    public void PrivateKey_WrongPassphrase_IsRefused()
    {
        var (key, _) = GenerateKeys();
        key.Dispose();
        var pem = File.ReadAllBytes(_directory["cosign.key"]);
        Assert.Throws<OperationFailedException>(() => CosignPrivateKey.Read(pem, "wrong"u8));
        Assert.Throws<OperationFailedException>(() => CosignPrivateKey.Read(pem, []));
        Assert.Throws<MalformedDataException>(() => CosignPrivateKey.Read("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n"u8, []));
    }

    private (ECDsa Private, byte[] Public) GenerateKeys()
    {
        ExternalProgram.Run(Interop.Cosign, ["generate-key-pair", "--output-key-prefix", _directory["cosign"]], s_environment);
        return (CosignPrivateKey.Read(File.ReadAllBytes(_directory["cosign.key"]), "pass word"u8), File.ReadAllBytes(_directory["cosign.pub"]));
    }

    private static async Task<PolicyVerdict> JudgeAsync(RegistryRepository repository, ImagePolicy policy)
    {
        var digest = (await repository.ResolveAsync(Cancel)).Digest;
        return await new PolicyEvaluator(policy, new NoKeys()).EvaluateAsync(repository, [digest], Cancel);
    }

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
