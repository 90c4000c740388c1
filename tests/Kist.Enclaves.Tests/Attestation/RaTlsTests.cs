using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;
using Kist.Attestation.RaTls;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.Relay;
using Kist.Formats;
using Microsoft.Extensions.Time.Testing;

namespace Kist.Enclaves.Tests.Attestation;

public sealed class RaTlsTests : IDisposable
{
    private static readonly FakeTimeProvider s_time = new(SimulatedQuoter.Now);
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private readonly SimulatedQuoter _quoter = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose()
    {
        _quoter.Dispose();
        _key.Dispose();
    }

    [Fact]
    public async Task Connect_MutualThroughARelay_BothEndsAreProved()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        using var clientQuoter = new SimulatedQuoter("client");
        using var clientKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var clientCertificate = await RaTlsCertificate.CreateAsync(clientKey, clientQuoter, s_time, Cancel);

        var directory = Directory.CreateTempSubdirectory("kist-relay-");
        using var stop = new CancellationTokenSource();
        var path = Path.Combine(directory.FullName, "server.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        using var relay = ByteRelay.Listen(RelayAddress.Parse("tcp://127.0.0.1:0"), RelayAddress.Parse($"unix:{path}"));
        var relaying = relay.RunAsync(_ => { }, stop.Token);

        var serving = ServeAsync(listener, certificate, Peer(clientQuoter));
        var (client, peer) = await RaTlsConnection.ConnectAsync(
            await relay.Address.ConnectAsync(Cancel), Peer(_quoter), clientCertificate, Cancel);
        await client.WriteAsync("ping"u8.ToArray(), Cancel);
        var answer = new byte[4];
        await client.ReadExactlyAsync(answer, Cancel);
        Assert.Equal("pong"u8, answer);
        Assert.True(peer.IsAccepted);
        var judgedClient = await serving;
        Assert.True(judgedClient?.IsAccepted);
        await client.DisposeAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => relaying);
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Connect_ServerIsAnotherEnclave_IsRefusedWithVerdict()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        var expectOther = new RaTlsPeer(new EnclaveReference { MrEnclave = [new string('1', 64)] }, () => _quoter.Options);
        var (near, far) = Pair();
        var serving = RaTlsConnection.AcceptAsync(far, certificate, null, Cancel);
        var refused = await Assert.ThrowsAsync<PeerRefusedException>(() => RaTlsConnection.ConnectAsync(near, expectOther, null, Cancel));
        Assert.False(refused.Verification!.IsAccepted);
        Assert.Contains("mr_enclave", refused.Message, StringComparison.Ordinal);
        await EndAsync(serving);
    }

    /// <summary>An attacker who copies an enclave's evidence into a certificate of his own key gains nothing.</summary>
    [Fact]
    public async Task Connect_EvidenceOfAnotherKey_IsRefused()
    {
        using var genuine = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        using var attacker = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Kist enclave", attacker, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(genuine.Extensions.First(e => e.Oid!.Value == RaTlsEvidence.EvidenceOid));
        using var stolen = request.CreateSelfSigned(SimulatedQuoter.Now.AddDays(-1), SimulatedQuoter.Now.AddDays(1));
        var (near, far) = Pair();
        var serving = RaTlsConnection.AcceptAsync(far, stolen, null, Cancel);
        var refused = await Assert.ThrowsAsync<PeerRefusedException>(() => RaTlsConnection.ConnectAsync(near, Peer(_quoter), null, Cancel));
        Assert.Contains("another key", refused.Message, StringComparison.Ordinal);
        await EndAsync(serving);
    }

    [Fact]
    public async Task Accept_ClientWithoutProof_IsRefused()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        var (near, far) = Pair();
        var serving = RaTlsConnection.AcceptAsync(far, certificate, Peer(_quoter), Cancel);
        var connecting = RaTlsConnection.ConnectAsync(near, Peer(_quoter), null, Cancel);
        await Assert.ThrowsAsync<PeerRefusedException>(() => serving);
        near.Dispose();
        await EndAsync(connecting);
    }

    [Fact]
    public async Task Challenge_RunningEnclave_IsAnsweredForItsTlsKey()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        var (near, far) = Pair();
        var serving = AnswerAsync(far, certificate, (nonce, t) => EvidenceAsync(nonce, t));
        var result = await ChallengeProtocol.ChallengeAsync(near, Peer(_quoter), Cancel);
        Assert.True(result.IsAccepted, result.Reason);
        await serving;
    }

    [Fact]
    public async Task Challenge_ReplayedAnswer_IsRefused()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        var old = await EvidenceAsync(new byte[32], Cancel);
        var (near, far) = Pair();
        var serving = AnswerAsync(far, certificate, (_, _) => Task.FromResult(old));
        var result = await ChallengeProtocol.ChallengeAsync(near, Peer(_quoter), Cancel);
        Assert.False(result.IsAccepted);
        Assert.Contains("another challenge", result.Reason, StringComparison.Ordinal);
        await serving;
    }

    [Fact]
    public async Task ReattestAsync_LivingConnection_ProvesThePeerAsOfNow()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        var time = new FakeTimeProvider(SimulatedQuoter.Now);
        var (near, far) = Pair();
        var serving = AnswerAsync(far, certificate, EvidenceAsync);
        var (tls, _) = await RaTlsConnection.ConnectAsync(near, Peer(_quoter), null, Cancel);
        await using (var stream = new AttestedStream(tls, Peer(_quoter), TimeSpan.FromMinutes(5), time))
        {
            time.Advance(TimeSpan.FromMinutes(5));
            Assert.True(stream.IsExpired);
            await Assert.ThrowsAsync<OperationFailedException>(async () => await stream.WriteAsync(new byte[1], Cancel));
            await Assert.ThrowsAsync<OperationFailedException>(async () => await stream.ReadExactlyAsync(new byte[1], Cancel));
            await stream.ReattestAsync(Cancel);
            Assert.False(stream.IsExpired);
            time.Advance(TimeSpan.FromMinutes(4));
            await stream.ReattestAsync(Cancel);
        }

        Assert.Equal(2, await serving);
    }

    [Fact]
    public async Task ReattestAsync_PeerAnswersWithWhatItSaidBefore_IsRefusedAndTheConnectionCloses()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        var old = await EvidenceAsync(new byte[32], Cancel);
        var (near, far) = Pair();
        var serving = AnswerAsync(far, certificate, (_, _) => Task.FromResult(old));
        var (tls, _) = await RaTlsConnection.ConnectAsync(near, Peer(_quoter), null, Cancel);
        await using var stream = new AttestedStream(tls, Peer(_quoter), TimeSpan.FromMinutes(5), s_time);
        var refused = await Assert.ThrowsAsync<PeerRefusedException>(() => stream.ReattestAsync(Cancel));
        Assert.Equal("ratls.nonce", refused.Verification!.Verdict.DecisiveFailure!.Id);
        Assert.Equal(1, await serving);
    }

    [Fact]
    public async Task Connect_VerifierWithoutCollateral_JudgesByThePeersIfItSaysSo()
    {
        var collateral = SimulatedCollateralOf(_quoter);
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, collateral, nonce: null, Cancel);
        var options = _quoter.Options with { Collateral = new CollateralStore() };
        var reference = new EnclaveReference { MrEnclave = [_quoter.MrEnclave] };
        foreach (var use in new[] { true, false })
        {
            var (near, far) = Pair();
            var serving = RaTlsConnection.AcceptAsync(far, certificate, null, Cancel);
            var connecting = RaTlsConnection.ConnectAsync(near, new RaTlsPeer(reference, () => options) { UseEndorsements = use }, null, Cancel);
            if (use)
                Assert.Contains((await connecting).Peer.Verdict.Findings, f => f.Id == "ratls.endorsements");
            else
                await Assert.ThrowsAsync<PeerRefusedException>(() => connecting);
            await EndAsync(serving);
        }
    }

    /// <summary>A peer for which nothing is compared would be anybody's enclave.</summary>
    [Fact]
    public async Task Connect_NoReference_IsRefused()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        var (near, far) = Pair();
        var serving = RaTlsConnection.AcceptAsync(far, certificate, null, Cancel);
        var refused = await Assert.ThrowsAsync<PeerRefusedException>(() => RaTlsConnection.ConnectAsync(near, new RaTlsPeer(() => _quoter.Options), null, Cancel));
        Assert.Contains("any TEE would be accepted", refused.Message, StringComparison.Ordinal);
        await EndAsync(serving);
    }

    [Fact]
    public async Task ReadEvidence_OrdinaryCertificate_SaysThatItProvesNothing()
    {
        using var certificate = new CertificateRequest("CN=x", _key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(SimulatedQuoter.Now.AddDays(-1), SimulatedQuoter.Now.AddDays(1));
        Assert.Contains("does not prove itself", Assert.Throws<MalformedDataException>(() => RaTlsEvidence.Read(certificate.RawData)).Message, StringComparison.Ordinal);
        using var proved = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        Assert.Null(RaTlsEvidence.Read(proved.RawData).Claims!.Nonce);
    }

    [Fact]
    public async Task Certificate_HalfItsTimeOver_IsMadeAnewForTheSameKey()
    {
        var time = new FakeTimeProvider(SimulatedQuoter.Now);
        var counted = new CountingQuoter(_quoter);
        using var identity = new RaTlsIdentity(counted, time);
        var first = await identity.CertificateAsync(Cancel);
        time.Advance(TimeSpan.FromHours(11));
        Assert.Same(first, await identity.CertificateAsync(Cancel));
        time.Advance(TimeSpan.FromHours(2));
        var second = await identity.CertificateAsync(Cancel);
        Assert.Equal(2, counted.Quotes);
        Assert.Equal(identity.SubjectPublicKeyInfo, second.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.True(second.NotAfter > first.NotAfter);
        first.Dispose();
    }

    [Fact]
    public async Task Connect_ExpiredCertificate_IsRefused()
    {
        using var certificate = await RaTlsCertificate.CreateAsync(_key, _quoter, s_time, Cancel);
        var later = new RaTlsPeer(new EnclaveReference { MrEnclave = [_quoter.MrEnclave] }, () => _quoter.Options with { Time = SimulatedQuoter.Now.AddDays(2) });
        var (near, far) = Pair();
        var serving = RaTlsConnection.AcceptAsync(far, certificate, null, Cancel);
        var refused = await Assert.ThrowsAsync<PeerRefusedException>(() => RaTlsConnection.ConnectAsync(near, later, null, Cancel));
        Assert.Contains("not valid now", refused.Message, StringComparison.Ordinal);
        await EndAsync(serving);
    }

    /// <summary>The bytes by hand, from RFC 8949: tag 60000, array of 2, byte strings; a map in canonical order.</summary>
    [Fact]
    public void Encode_DiceEvidence_IsByteForByteTheInteroperableForm()
    {
        byte[] spki = [1, 2, 3];
        var hash = Convert.ToHexString(SHA256.HashData(spki));
        const string nonce = "0001020304050607";
        // {"nonce": h'…', "pubkey-hash": << [1, h'…'] >>}: the shorter key comes first.
        var claims = $"A2656E6F6E636548{nonce}6B7075626B65792D686173685824820158" + $"20{hash}";
        Assert.Equal(claims, Convert.ToHexString(DiceClaims.Encode(spki, Convert.FromHexString(nonce))));
        var evidence = DiceEvidence.Encode([0xaa, 0xbb], Convert.FromHexString(claims));
        Assert.Equal($"D9EA608242AABB58{claims.Length / 2:X2}{claims}", Convert.ToHexString(evidence));
        Assert.Equal(hash, Convert.ToHexString(DiceClaims.Parse(Convert.FromHexString(claims)).KeyHash.Span));
    }

    private sealed class CountingQuoter(SimulatedQuoter inner) : IEnclaveQuoter
    {
        public int Quotes { get; private set; }

        public Task<byte[]> QuoteAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
        {
            Quotes++;
            return inner.QuoteAsync(reportData, cancellationToken);
        }
    }

    private static RaTlsPeer Peer(SimulatedQuoter quoter) => new(new EnclaveReference { MrEnclave = [quoter.MrEnclave] }, () => quoter.Options);

    private async Task<byte[]> EvidenceAsync(ReadOnlyMemory<byte> nonce, CancellationToken cancellationToken)
    {
        var claims = DiceClaims.Encode(_key.ExportSubjectPublicKeyInfo(), nonce);
        return DiceEvidence.Encode(await _quoter.QuoteAsync(SHA256.HashData(claims), cancellationToken), claims);
    }

    private static DcapCollateral SimulatedCollateralOf(SimulatedQuoter quoter) =>
        ((Simulator.SimulatedCollateral)quoter.Options.Collateral).Dcap.Single(p => p.Key.Tee == "sgx" && p.Key.Ca == PckCa.Platform).Value;

    private static async Task<int> AnswerAsync(
        Stream stream, X509Certificate2 certificate, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>> answer)
    {
        var (tls, _) = await RaTlsConnection.AcceptAsync(stream, certificate, null, Cancel);
        await using (tls)
            return await ChallengeProtocol.AnswerAsync(tls, answer, Cancel);
    }

    private static async Task<EnclaveVerification?> ServeAsync(Socket listener, X509Certificate2 certificate, RaTlsPeer client)
    {
        var stream = new NetworkStream(await listener.AcceptAsync(Cancel), ownsSocket: true);
        var (tls, peer) = await RaTlsConnection.AcceptAsync(stream, certificate, client, Cancel);
        await using (tls)
        {
            var request = new byte[4];
            await tls.ReadExactlyAsync(request, Cancel);
            await tls.WriteAsync("pong"u8.ToArray(), Cancel);
        }

        return peer;
    }

    /// <summary>With TLS 1.3 one end may think that the handshake is over before it hears of the other's refusal.</summary>
    private static async Task EndAsync<T>(Task<(System.Net.Security.SslStream Stream, T Peer)> handshake)
    {
        try
        {
            await (await handshake).Stream.DisposeAsync();
        }
        catch (OperationFailedException)
        {
        }
    }

    private static (Stream Near, Stream Far) Pair()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var near = new TcpClient();
        near.Connect((IPEndPoint)listener.LocalEndpoint);
        return (near.GetStream(), listener.AcceptTcpClient().GetStream());
    }
}
