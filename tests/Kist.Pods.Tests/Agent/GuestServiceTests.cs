using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Kist.Agent;
using Kist.Agent.GuestServices;
using Kist.Agent.Policy;
using Kist.Agent.Tee;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.Images.Secrets;
using Kist.Pods.Protocol.GuestComponents;
using Kist.Ttrpc;

namespace Kist.Pods.Tests.Agent;

/// <summary>Services of the guest by ttrpc, over the sockets of one container each; the policy decides about each request.</summary>
public sealed class GuestServiceTests : IDisposable
{
    private const string Policy =
        """
        package agent_policy
        import rego.v1
        default GuestServiceRequest := false
        GuestServiceRequest if {
            input.container_name == "web"
            [input.service, input.resource] in {["resource", "kbs:///default/web/key"], ["unseal", "kbs:///default/web/key"], ["evidence", ""], ["token", ""], ["event-log", ""]}
        }
        """;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("kist-services-").FullName;
    private readonly ECDsa _author = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ServedGuest _guest;
    private readonly List<IDisposable> _open = [];

    public GuestServiceTests()
    {
        _guest = new ServedGuest();
        _guest.Contents["kbs:///default/web/key"] = "the secret"u8.ToArray();
        _guest.Contents["kbs:///default/other/key"] = "another"u8.ToArray();
        _guest.Contents["kbs:///default/signing-key/1"] = Encoding.UTF8.GetBytes(EcJsonWebKey.FromPublicKey(_author, null).ToString());
    }

    public void Dispose()
    {
        foreach (var open in _open)
            open.Dispose();
        _author.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task GetResource_Allowed_IsTheSecret()
    {
        await using var client = await ConnectAsync("web");
        Assert.Equal("the secret", (await ResourceAsync(client, "kbs:///default/web/key")).Resource.ToStringUtf8());
    }

    [Theory]
    [InlineData("web", "kbs:///default/other/key")]
    [InlineData("db", "kbs:///default/web/key")]
    public async Task GetResource_NotInThePolicy_IsDeniedWithoutAskingTheBroker(string container, string resource)
    {
        await using var client = await ConnectAsync(container);
        var e = await Assert.ThrowsAsync<TtrpcException>(() => ResourceAsync(client, resource));
        Assert.Equal(TtrpcStatusCode.PermissionDenied, e.Code);
        Assert.Empty(_guest.Asked);
    }

    [Fact]
    public async Task GetResource_NoName_IsRefused()
    {
        await using var client = await ConnectAsync("web");
        await Assert.ThrowsAsync<TtrpcException>(() => ResourceAsync(client, "kbs:///../web/key"));
    }

    [Fact]
    public async Task Unseal_OfTheAuthor_IsTheSecret_AndNothingElseIs()
    {
        await using var client = await ConnectAsync("web");
        Assert.Equal("the secret", await UnsealAsync(client, SealedSecret.SealVault("kbs:///default/web/key", _author, "kbs:///default/signing-key/1")));

        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await Assert.ThrowsAsync<TtrpcException>(() => UnsealAsync(client, SealedSecret.SealVault("kbs:///default/web/key", other, "kbs:///default/signing-key/1")));
        await Assert.ThrowsAsync<TtrpcException>(() => UnsealAsync(client, SealedSecret.SealVault("kbs:///default/other/key", _author, "kbs:///default/signing-key/1")));
        await using var db = await ConnectAsync("db");
        await Assert.ThrowsAsync<TtrpcException>(() => UnsealAsync(db, SealedSecret.SealVault("kbs:///default/web/key", _author, "kbs:///default/signing-key/1")));
    }

    [Fact]
    public async Task Attestation_EvidenceTokenAndEvents()
    {
        await using var client = await ConnectAsync("web", "attestation-agent/attestation-agent.sock");
        var evidence = await client.CallAsync(Service, "GetEvidence", new GetEvidenceRequest { RuntimeData = ByteString.CopyFromUtf8("abc") }, GetEvidenceResponse.Parser, TimeSpan.FromSeconds(30), Cancel);
        Assert.Equal("evidence of abc", evidence.Evidence.ToStringUtf8());

        var token = await client.CallAsync(Service, "GetToken", new GetTokenRequest { TokenType = "kbs" }, GetTokenResponse.Parser, TimeSpan.FromSeconds(30), Cancel);
        using var json = JsonDocument.Parse(token.Token.Memory);
        Assert.Equal("a.b.c", json.RootElement.GetProperty("token").GetString());
        Assert.Equal("-----BEGIN\nX\n", json.RootElement.GetProperty("tee_keypair").GetString());

        var extended = await ExtendAsync(client, "example.org");
        Assert.Equal(RuntimeMeasurementResult.Ok, extended.Result);
        Assert.Equal(["example.org start x"], _guest.Events);
        await Assert.ThrowsAsync<TtrpcException>(() => ExtendAsync(client, "github.com/confidential-containers"));
        await Assert.ThrowsAsync<TtrpcException>(() => client.CallAsync(Service, "GetToken", new GetTokenRequest { TokenType = "coco_as" }, GetTokenResponse.Parser, TimeSpan.FromSeconds(30), Cancel));

        await using var db = await ConnectAsync("db", "attestation-agent/attestation-agent.sock");
        await Assert.ThrowsAsync<TtrpcException>(() => ExtendAsync(db, "example.org"));
    }

    private const string Service = "attestation_agent.AttestationAgentService";

    private static Task<ExtendRuntimeMeasurementResponse> ExtendAsync(TtrpcClient client, string domain) => client.CallAsync(
        Service, "ExtendRuntimeMeasurement", new ExtendRuntimeMeasurementRequest { Domain = domain, Operation = "start", Content = "x" },
        ExtendRuntimeMeasurementResponse.Parser, TimeSpan.FromSeconds(30), Cancel);

    private static Task<GetResourceResponse> ResourceAsync(TtrpcClient client, string resource) => client.CallAsync(
        "api.GetResourceService", "GetResource", new GetResourceRequest { ResourcePath = resource }, GetResourceResponse.Parser, TimeSpan.FromSeconds(30), Cancel);

    private static async Task<string> UnsealAsync(TtrpcClient client, string secret) => (await client.CallAsync(
        "api.SealedSecretService", "UnsealSecret", new UnsealSecretInput { Secret = ByteString.CopyFromUtf8(secret) }, UnsealSecretOutput.Parser, TimeSpan.FromSeconds(30), Cancel)).Plaintext.ToStringUtf8();

    private async Task<TtrpcClient> ConnectAsync(string container, string path = "cdh.sock")
    {
        var folder = Path.Combine(_folder, container);
        if (!Directory.Exists(folder))
            _open.Add(new ContainerSockets(new TtrpcFront(new ServiceDesk(_guest), new Caller($"id-of-{container}", container)), folder));
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(folder, path)), Cancel);
        return new TtrpcClient(new NetworkStream(socket, ownsSocket: true), "guest services");
    }

    private sealed class ServedGuest : IServedGuest, ISecretSource, ITee
    {
        public Dictionary<string, byte[]> Contents { get; } = [];

        public List<string> Asked { get; } = [];

        public List<string> Events { get; } = [];

        ITee IServedGuest.Tee => this;

        IAgentPolicy IServedGuest.Policy { get; } = RegoAgentPolicy.Compile(Policy);

        ISecretSource IServedGuest.Secrets => this;

        bool ITee.IsSimulated => true;

        string Kist.KeyBroker.Protocol.IGuestEvidenceSource.Tee => "tdx";

        public Task<SecretBytes> GetResourceAsync(string uri, CancellationToken cancellationToken)
        {
            Asked.Add(uri);
            return Task.FromResult(SecretBytes.CopyOf(Contents[uri]));
        }

        public Task<(string Token, string KeyPem)> GetFreshTokenAsync(CancellationToken cancellationToken) => Task.FromResult(("a.b.c", "-----BEGIN\nX\n"));

        public Task<byte[]> GetInitDataFieldAsync(CancellationToken cancellationToken) => Task.FromResult(new byte[48]);

        public Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken) =>
            Task.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes($"evidence of {Encoding.UTF8.GetString(reportData.Span)}"));

        public Task<bool> ExtendAsync(string domain, string operation, string content, CancellationToken cancellationToken)
        {
            Events.Add($"{domain} {operation} {content}");
            return Task.FromResult(true);
        }
    }
}
