using System.Text.Json.Nodes;
using Kist.Attestation;
using Kist.Attestation.RaTls;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.Relay;

namespace Kist.Rune.Tests;

/// <summary>A running container proves itself: through its runtime, and over RA-TLS through a relay.</summary>
public sealed class AttestationTests : IDisposable
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private readonly RuneBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public async Task Challenge_ThroughARelay_AcceptsThisApplicationAndNoOther()
    {
        var (id, mrEnclave) = Start();
        using var stop = new CancellationTokenSource();
        using var relay = ByteRelay.Listen(RelayAddress.Parse("tcp://127.0.0.1:0"), RelayAddress.Parse($"unix:{_bundle.Share(id)}/attest.sock"));
        var relaying = relay.RunAsync(_ => { }, stop.Token);

        var accepted = await ChallengeAsync(relay, mrEnclave, Options());
        Assert.True(accepted.IsAccepted, accepted.Reason);
        Assert.True(accepted.Verdict.IsSimulated);
        Assert.False((await ChallengeAsync(relay, new string('1', 64), Options())).IsAccepted);
        Assert.False((await ChallengeAsync(relay, mrEnclave, Options() with { AllowSimulated = false })).IsAccepted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => relaying);
    }

    [Fact]
    public void Attest_WithNonce_BindsItAndIsVerified()
    {
        var (id, mrEnclave) = Start();
        var nonce = Convert.ToHexStringLower(Guid.NewGuid().ToByteArray());
        var result = _bundle.Rune("attest", "--isRA", "--nonce", nonce, id);
        Assert.True(result.ExitCode == 0, result.All);
        var evidence = DiceEvidence.Parse(Convert.FromBase64String(JsonNode.Parse(result.Output)!["evidence"]!.GetValue<string>()));
        Assert.Equal(nonce, Convert.ToHexStringLower(evidence.Claims.Nonce!.Value.Span));
        var verdict = EvidenceVerifier.Verify(
            new Evidence { Tee = "sgx", Bytes = evidence.Quote },
            new ExpectedBinding(evidence.Claims.Digest(), null),
            Options() with { References = new EnclaveReference { MrEnclave = [mrEnclave] }.ToReferenceValues() });
        Assert.True(verdict.IsAccepted, verdict.DecisiveFailure?.Why);
        Assert.Equal(1, _bundle.Rune("attest", "--isRA", "--quote-type", "epidLinkable", id).ExitCode);
    }

    /// <summary>Another application, another measurement: nothing of the generic host decides.</summary>
    [Fact]
    public void MrEnclave_OfOtherArguments_Differs()
    {
        var (_, first) = Start();
        _bundle.Configure("/bin/sleep", "61");
        var other = JsonNode.Parse(_bundle.Rune("state", _bundle.Create()).Output)!["annotations"]!["kist.enclave.mrenclave"]!.GetValue<string>();
        Assert.NotEqual(first, other);
    }

    private (string Id, string MrEnclave) Start()
    {
        _bundle.Configure("/bin/sleep", "60");
        var id = _bundle.Create();
        _bundle.Start(id);
        for (var i = 0; i < 200 && _bundle.Rune("attest", id).ExitCode != 0; i++)
            Thread.Sleep(50);
        return (id, JsonNode.Parse(_bundle.Rune("state", id).Output)!["annotations"]!["kist.enclave.mrenclave"]!.GetValue<string>());
    }

    private static async Task<EnclaveVerification> ChallengeAsync(ByteRelay relay, string mrEnclave, VerificationOptions options) =>
        await ChallengeProtocol.ChallengeAsync(
            await relay.Address.ConnectAsync(Cancel), new RaTlsPeer(new EnclaveReference { MrEnclave = [mrEnclave] }, () => options), Cancel);

    private VerificationOptions Options()
    {
        var reader = new CollateralReader();
        foreach (var file in Directory.GetFiles(_bundle.Collateral))
            reader.Add(File.ReadAllBytes(file));
        var now = TimeProvider.System.GetUtcNow();
        return new VerificationOptions
        {
            Time = now,
            Anchors = TrustAnchorSet.Empty.With(TrustAnchorJson.Parse(File.ReadAllBytes(Path.Combine(_bundle.Collateral, "trust-anchor.json")))),
            Collateral = reader.Build(now),
            AllowSimulated = true,
        };
    }
}
