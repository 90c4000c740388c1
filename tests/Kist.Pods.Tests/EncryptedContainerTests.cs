using System.Net;
using System.Security.Cryptography;
using System.Text;
using Kist.Attestation;
using Kist.Images;
using Kist.Images.Ocicrypt;
using Kist.KeyBroker;
using Kist.KeyBroker.Protocol;
using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Oci;
using Kist.Pods.Agent;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;
using Kist.Simulator;
using Kist.Testing;

namespace Kist.Pods.Tests;

/// <summary>The whole way: an encrypted image, a key broker that judges the guest's evidence, a guest that gets the key or does not.</summary>
[Collection("guests")]
public sealed class EncryptedContainerTests : IAsyncDisposable
{
    private const string KeyId = "kbs:///default/key/image";
    private const string Secret = "only for this guest";

    private const string Policy =
        """
        package agent_policy
        import rego.v1
        CreateContainerRequest if input.image.encrypted
        StartContainerRequest := true
        WaitProcessRequest := true
        RemoveContainerRequest := true
        ReadStreamRequest := true
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private LocalRegistry? _registry;
    private KeyBrokerServer? _broker;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
            await _broker.DisposeAsync();
        if (_registry is not null)
            await _registry.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Create_GuestAsPredicted_GetsTheKeyAndRuns()
    {
        using var image = await PrepareAsync();
        var spec = Spec(image);
        await RegisterAsync(PodLauncher.Inputs(spec));
        await using var pod = await LaunchAsync(spec);

        var created = await CreateAsync(pod, "main");
        await pod.Agent.StartContainerAsync("main", Token);
        using var output = new MemoryStream();
        await OutputPump.CopyAsync(pod.Agent, "main", OutputStream.Stdout, output, Token);

        Assert.True(created.Encrypted);
        Assert.Equal(Secret, Encoding.UTF8.GetString(output.ToArray()));
        var attestation = await pod.Agent.GetAttestationAsync(Token);
        Assert.True(attestation.Attested);
        Assert.True(attestation.Simulated);
        Assert.Equal(2, attestation.Token.Count(c => c == '.'));
        Assert.EndsWith(".", attestation.Token, StringComparison.Ordinal);
        foreach (var step in (await pod.Agent.GetProgressAsync(Token)).Steps)
            TestContext.Current.TestOutputHelper?.WriteLine($"{step.Name} {step.Subject} {step.StartedMicroseconds / 1000} ms +{(step.EndedMicroseconds - step.StartedMicroseconds) / 1000} ms");

        // What the host stores is damaged from now on: this guest has what it verified, another gets nothing.
        await pod.Agent.RemoveContainerAsync("main", Token);
        DamageLargestBlob();
        await CreateAsync(pod, "again");
        await using var other = await LaunchAsync(spec);
        var refused = await Assert.ThrowsAsync<AgentCallException>(() => CreateAsync(other, "damaged"));
        Assert.Equal(FailureCode.ImageRefused, refused.Code);
    }

    [Fact]
    public async Task Create_GuestWasChanged_BrokerRefusesTheKey()
    {
        using var image = await PrepareAsync();
        var spec = Spec(image);
        await RegisterAsync(PodLauncher.Inputs(spec) with { CommandLine = "another" });
        await using var pod = await LaunchAsync(spec);

        var refused = await Assert.ThrowsAsync<AgentCallException>(() => CreateAsync(pod, "main"));

        Assert.Equal(FailureCode.KeyRefused, refused.Code);
        Assert.Equal("policy.denied", (await pod.Agent.GetAttestationAsync(Token)).Refusal);
    }

    [Fact]
    public async Task Create_BrokerIsDown_SaysThatTheKeyIsUnavailable()
    {
        using var image = await PrepareAsync();
        var spec = Spec(image);
        await RegisterAsync(PodLauncher.Inputs(spec));
        await using var pod = await LaunchAsync(spec);
        await _broker!.DisposeAsync();
        _broker = null;

        var refused = await Assert.ThrowsAsync<AgentCallException>(() => CreateAsync(pod, "main"));

        Assert.Equal(FailureCode.KeyUnavailable, refused.Code);
    }

    private static async Task<RunningPod> LaunchAsync(PodSpec spec) =>
        await new PodLauncher(new SimulatedPlatform(), TimeProvider.System).LaunchAsync(spec, null, Token);

    private async Task<GuestImage> PrepareAsync()
    {
        Assert.SkipUnless(File.Exists("/bin/busybox"), "busybox-static is not installed");
        var image = await BuiltGuest.LoadAsync();
        _registry = await LocalRegistry.StartAsync();
        _broker = await KeyBrokerServer.StartAsync(
            new KeyBrokerOptions
            {
                StateDirectory = Path.Combine(_folder.Path, "broker"),
                AllowSimulated = true,
                Anchors = VendorAnchors.All.With(SimulatedPlatform.Vendor.IntelAnchor),
                Collateral = SimulatedCollateral.Issue(SimulatedPlatform.Vendor, TimeProvider.System.GetUtcNow().AddDays(-1)),
            },
            Token);
        await PushAsync();
        return image;
    }

    private async Task PushAsync()
    {
        var tree = Path.Combine(_folder.Path, "tree");
        Directory.CreateDirectory(Path.Combine(tree, "bin"));
        File.Copy("/bin/busybox", Path.Combine(tree, "bin", "cat"));
        await File.WriteAllTextAsync(Path.Combine(tree, "secret"), Secret, Token);
        var plain = new OciLayout(Path.Combine(_folder.Path, "plain"), "1");
        var config = new ContainerConfiguration { EntryPoint = ["/bin/cat", "/secret"] };
        await ImageBuilder.BuildAsync([tree], plain, new ImageBuildOptions { Config = config }, Token);
        using var repository = new RegistryRepository(ImageReference.Parse($"{_registry!.Host}/secret:latest"), new RegistryOptions());
        await new ImageEncryptor(plain, repository, [new KeyPacketWrapper(KeyId, _key)], new EncryptOptions()).EncryptAsync(Token);
    }

    private PodSpec Spec(GuestImage image)
    {
        var url = $"https://{GuestDoor.GuestAddress}:{_broker!.Endpoint.Port}";
        var initData = $"algorithm = \"sha384\"\nversion = \"0.1.0\"\n[data]\n\"aa.toml\" = '''\n[token_configs.kbs]\nurl = \"{url}\"\ncert = \"\"\"\n{_broker.CertificatePem}\"\"\"\n'''\n\"policy.rego\" = '''\n{Policy}\n'''\n";
        return new PodSpec
        {
            Guest = image,
            InitData = Encoding.UTF8.GetBytes(initData),
            MemoryMebibytes = 256,
            Doors = [Door(_broker.Endpoint.Port), Door(_registry!.Port)],
        };
    }

    private static GuestDoor Door(int port) => new(port, new IPEndPoint(IPAddress.Loopback, port));

    private async Task RegisterAsync(LaunchInputs inputs)
    {
        var values = LaunchPredictor.Predict(inputs).ToReferenceValues();
        using var admin = new KeyBrokerAdminClient(_broker!.Endpoint, _broker.CertificatePem, await File.ReadAllTextAsync(_broker.AdminTokenFile, Token));
        await admin.RegisterReferenceSetAsync(
            new ReferenceSet
            {
                Name = "guest",
                Tee = "tdx",
                Claims = new Dictionary<string, IReadOnlyList<string>>
                {
                    ["quote.body.mr_td"] = [values.MrTd.ToString()],
                    ["quote.body.rtmr_0"] = [values.Rtmr0.ToString()],
                    ["quote.body.rtmr_1"] = [values.Rtmr1.ToString()],
                    ["quote.body.rtmr_2"] = [values.Rtmr2.ToString()],
                    ["quote.body.mr_config_id"] = [values.MrConfigId.ToString()],
                },
                Expires = TimeProvider.System.GetUtcNow().AddDays(1),
                Source = "predicted",
            },
            Token);
        await admin.PutResourceAsync(ResourceUri.Parse(KeyId), _key, Token);
    }

    private Task<CreateContainerResponse> CreateAsync(RunningPod pod, string id) => pod.Agent.CreateContainerAsync(
        new CreateContainerRequest { ContainerId = id, Image = $"{GuestDoor.GuestAddress}:{_registry!.Port}/secret:latest", InsecureRegistry = true },
        TimeSpan.FromMinutes(3), Token);

    private void DamageLargestBlob()
    {
        var blob = Directory.GetFiles(Path.Combine(_registry!.Storage, "data"), "data", SearchOption.AllDirectories).MaxBy(f => new FileInfo(f).Length)!;
        using var file = new FileStream(blob, FileMode.Open, FileAccess.ReadWrite);
        file.Position = file.Length / 2;
        var value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 1));
    }
}
