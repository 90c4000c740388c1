using System.Net;
using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Host;
using Kist.Images.Signatures;
using Kist.Images.Tests;
using Kist.Oci;
using Kist.Pods;
using Kist.Pods.Agent;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;
using Kist.Testing;

namespace Kist.EndToEnd;

/// <summary>Where a real guest gets its images from, and by whose signatures it takes them.</summary>
public sealed class ImageSourceTests(Installation installation, SealedImages images, ITestOutputHelper output) : IClassFixture<SealedImages>, IDisposable
{
    private const string GpgUser = "kist@example.com";

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>TLS under a private authority, the guest's credentials from the broker, tokens and blobs from other hosts of the same port.</summary>
    [Theory]
    [InlineData("encrypted")]
    [InlineData("sealed")]
    public async Task Run_PrivateRegistryOfSeveralHosts_IsPulledFromByDoors(string kind)
    {
        installation.Require();
        await using var registry = new TlsRegistry(installation.Endpoints.Registry);
        var repository = kind == "sealed" ? "sealed:private" : "demo:v1";
        if (kind == "sealed")
            await images.SealAsync("private");
        await File.WriteAllTextAsync(_directory["ca.pem"], registry.AuthorityPem, Cancel);
        var login = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{TlsRegistry.User}:{TlsRegistry.Password}"));
        await File.WriteAllTextAsync(_directory["auth.json"], $$$$"""{"auths": {"{{{{registry.Authority}}}}": {"auth": "{{{{login}}}}"}}}""", Cancel);
        await installation.MustAsync("secret", "put", $"kbs:///default/credential/{kind}", _directory["auth.json"]);

        string[] run = ["run", "--rm", "--registry-ca", _directory["ca.pem"], "--registry-host", TlsRegistry.TokenHost, "--registry-host", TlsRegistry.BlobHost];
        var kist = installation.Kist with { Environment = new Dictionary<string, string> { ["REGISTRY_AUTH_FILE"] = _directory["auth.json"] } };
        var image = $"{registry.Authority}/{repository}";
        var result = await kist.RunAsync([.. run, "--registry-auth", $"kbs:///default/credential/{kind}", image, "echo", "pulled"]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("pulled\n", result.Stdout);
        Assert.Contains(TlsRegistry.TokenHost, registry.Requests);
        Assert.Contains(TlsRegistry.BlobHost, registry.Requests);
        Assert.DoesNotContain("leak", registry.Requests);

        if (kind == "sealed")
            return;
        var refused = await kist.RunAsync([.. run, image, "echo", "pulled"]);
        Assert.True(refused.ExitCode == 125, refused.ToString());
        Assert.Contains("401", refused.Stderr, StringComparison.Ordinal);
    }

    /// <summary>One guest, one policy file with a demand for each repository, and an image for each way to meet it or not.</summary>
    [Fact]
    public async Task Create_UnderASigningPolicy_OnlyWhatItsSignersHaveSigned()
    {
        installation.Require();
        ExternalProgram.Require("gpg");
        using var sigstore = new SigstoreStandIn();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllTextAsync(_directory["private.pem"], key.ExportPkcs8PrivateKeyPem(), Cancel);
        Directory.CreateDirectory(_directory["gpg"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var gpg = new Dictionary<string, string> { ["GNUPGHOME"] = _directory["gpg"] };
        ExternalProgram.Run("gpg", ["--batch", "--passphrase", "", "--quick-generate-key", GpgUser, "rsa2048"], gpg);
        var ring = Encoding.Latin1.GetBytes(ExternalProgram.Run("gpg", ["--armor", "--export", GpgUser], gpg));
        using var lookaside = new LookasideServer(_directory["store"]);

        var cases = new List<Case>();
        foreach (var (repository, signer) in ((string, string)[])[("keyless", SigstoreStandIn.Subject), ("keyless-other", "other@example.com")])
        {
            var image = await EncryptAsync(repository);
            await KeylessSignature.PushAsync(sigstore, image, Cancel);
            cases.Add(new Case(image, Keyless(sigstore, signer), repository == "keyless"));
        }

        foreach (var repository in (string[])["gpg", "gpg-unsigned"])
        {
            var image = await EncryptAsync(repository);
            if (repository == "gpg")
                await (installation.Kist with { Environment = gpg }).MustAsync("image", "sign", "--sign-by", GpgUser, "--lookaside", _directory["store"], image);
            cases.Add(new Case(image, $$"""{"type": "signedBy", "keyType": "GPGKeys", "keyData": "{{Convert.ToBase64String(ring)}}"}""", repository == "gpg"));
        }

        var publicKey = Convert.ToBase64String(Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()));
        foreach (var tag in (string[])["signed-by-key", "unsigned-by-key"])
        {
            var image = (await images.SealAsync(tag, [.. images.ForAnyGuest()])).Image;
            if (tag == "signed-by-key")
                await installation.MustAsync("image", "sign", "--key", _directory["private.pem"], image);
            cases.Add(new Case(image, $$"""{"type": "sigstoreSigned", "keyData": "{{publicKey}}", "signedIdentity": {"type": "matchRepository"} }""", tag == "signed-by-key"));
        }

        await using var disks = await SealedDisks.OpenAsync(installation, cases.Select(c => c.Image));
        await using var pod = await LaunchAsync(cases, lookaside, disks);
        foreach (var (expected, i) in cases.Select((c, i) => (c, i)))
            await JudgeAsync(pod, expected, $"c{i}");
    }

    private async Task JudgeAsync(RunningPod pod, Case expected, string id)
    {
        var request = new CreateContainerRequest { ContainerId = id, Image = expected.Image, InsecureRegistry = true, RegistryByDoor = true };
        if (expected.IsAccepted)
        {
            await pod.Agent.CreateContainerAsync(request, TimeSpan.FromMinutes(2), Cancel);
            await pod.Agent.StartContainerAsync(id, Cancel);
            Assert.Equal(0, (await pod.Agent.WaitProcessAsync(id, Cancel)).ExitCode);
            await pod.Agent.RemoveContainerAsync(id, Cancel);
            output.WriteLine($"{expected.Image} | runs");
            return;
        }

        var failure = await Assert.ThrowsAsync<AgentCallException>(() => pod.Agent.CreateContainerAsync(request, TimeSpan.FromMinutes(2), Cancel));
        output.WriteLine($"{expected.Image} | {failure.Code} | {failure.Message}");
        Assert.Equal(FailureCode.ImageRefused, failure.Code);
        Assert.Contains("verify signatures", failure.Message, StringComparison.Ordinal);
    }

    private async Task<RunningPod> LaunchAsync(List<Case> cases, LookasideServer lookaside, SealedDisks disks)
    {
        using var guest = GuestImage.Load(installation.State.Guest);
        var endpoints = installation.Endpoints;
        var pinned = new List<PinnedContainer>();
        foreach (var (image, i) in cases.Select((c, i) => (c.Image, i)))
        {
            var resolved = await ResolvedImage.ResolveAsync(ImageReference.Parse(image), new RegistryOptions(), Cancel);
            pinned.Add(new PinnedContainer
            {
                Name = $"c{i}",
                Reference = image,
                ManifestDigest = resolved.ManifestDigest.ToString(),
                Encrypted = true,
                Overrides = new ProcessOverrides(null, [], [], "", ""),
            });
        }

        var spec = new PodSpec
        {
            Guest = guest,
            InitData = InitDataDocument.Compose(endpoints.BrokerFromGuest, endpoints.BrokerCertificate, WorkloadPolicy.Write(pinned), images: new ImageDemands
            {
                SignaturePolicy = $$"""{"default": [{"type": "reject"}], "transports": {"docker": { {{string.Join(", ", cases.Select(c => $"\"{c.Image}\": [{c.Demand}]"))}} } } }""",
                SigstoreConfiguration = $"default-docker:\n  lookaside: http://{lookaside.EndPoint}\n",
            }).Bytes,
            MemoryMebibytes = 512,
            Doors = [Door(new IPEndPoint(IPAddress.Loopback, endpoints.Broker.Port)), Door(IPEndPoint.Parse(endpoints.Registry)), Door(lookaside.EndPoint)],
            Disks = disks.All,
        };
        await BrokerRegistrar.Connect(endpoints).RegisterAsync("image-sources", Measurement.LaunchPredictor.Predict(PodLauncher.Inputs(spec)).ToReferenceValues(), Cancel);
        var platform = new SimulatedTrustPlatform(new SimulatorStore(installation.State).LoadOrCreateVendor());
        return await new PodLauncher(platform, TimeProvider.System).LaunchAsync(spec, cancellationToken: Cancel);
    }

    private async Task<string> EncryptAsync(string repository)
    {
        var image = $"{installation.Endpoints.Registry}/{repository}:v1";
        await installation.MustAsync(["image", "encrypt", $"oci:{installation.PlainLayout}:v1", image, .. images.ForAnyGuest()]);
        return image;
    }

    private static GuestDoor Door(IPEndPoint service) => new(service.Port, service);

    private static string Keyless(SigstoreStandIn sigstore, string email) => $$$"""
        {"type": "sigstoreSigned", "signedIdentity": {"type": "matchRepository"},
         "fulcio": {"caData": "{{{Convert.ToBase64String(Encoding.ASCII.GetBytes(sigstore.Authority.ExportCertificatePem()))}}}", "oidcIssuer": "{{{SigstoreStandIn.Issuer}}}", "subjectEmail": "{{{email}}}" },
         "rekorPublicKeyData": "{{{Convert.ToBase64String(sigstore.LogPem)}}}" }
        """.ReplaceLineEndings(" ");

    /// <param name="Image">The image.</param>
    /// <param name="Demand">The policy's requirement for it.</param>
    /// <param name="IsAccepted">Whether it meets that.</param>
    private sealed record Case(string Image, string Demand, bool IsAccepted);
}
