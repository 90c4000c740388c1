using System.Security.Cryptography;
using Kist.Attestation.RaTls;
using Kist.Enclaves.Attestation;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Attestation;

public sealed class EnclaveReferenceStoreTests : IDisposable
{
    private static readonly NamedEnclaveReference s_sample = new()
    {
        Name = "payments-1.2",
        MrEnclave = [new string('a', 64)],
        MrSigner = [],
        Source = "build 7",
        Expires = SimulatedQuoter.Now.AddDays(1),
    };

    private readonly string _directory = Directory.CreateTempSubdirectory("kist-references-").FullName;
    private readonly EnclaveReferenceStore _store;

    public EnclaveReferenceStoreTests() => _store = new EnclaveReferenceStore(Path.Combine(_directory, "references"));

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Get_StoredReference_IsAsItWasUntilItExpires()
    {
        _store.Put(s_sample);
        Assert.Equal(s_sample.MrEnclave, _store.Get(s_sample.Name, SimulatedQuoter.Now).MrEnclave);
        Assert.Throws<OperationFailedException>(() => _store.Get(s_sample.Name, SimulatedQuoter.Now.AddDays(1)));
        Assert.Equal([s_sample.Name], _store.List().Select(r => r.Name));
        Assert.True(_store.Remove(s_sample.Name));
        Assert.False(_store.Remove(s_sample.Name));
    }

    [Fact]
    public void Get_NothingStored_Fails()
    {
        Assert.Empty(_store.List());
        Assert.Throws<OperationFailedException>(() => _store.Get("unknown", SimulatedQuoter.Now));
    }

    [Fact]
    public void Put_ReferenceThatExpectsNothingOrTooLittle_IsRefused()
    {
        foreach (var reference in new[]
        {
            s_sample with { MrEnclave = [] },
            s_sample with { MrEnclave = ["short"] },
            s_sample with { MrEnclave = [], MrSigner = [new string('b', 64)] },
            s_sample with { MrEnclave = [], MrSigner = [new string('b', 64)], Product = 1 },
            s_sample with { Source = " " },
            s_sample with { Name = "../escape" },
            s_sample with { Name = "" },
            s_sample with { Name = ".hidden" },
        })
        {
            Assert.Throws<MalformedDataException>(() => _store.Put(reference));
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("not json")]
    [InlineData("""{"name":"x","mrEnclave":[],"mrSigner":[],"source":"y"}""")]
    public void Get_StoredFileThatIsNoReference_IsMalformed(string content)
    {
        _store.Put(s_sample);
        File.WriteAllText(Path.Combine(_directory, "references", "payments-1.2.json"), content);
        Assert.Throws<MalformedDataException>(() => _store.Get(s_sample.Name, SimulatedQuoter.Now));
    }

    [Fact]
    public async Task Records_OfChallenges_SayWhatWasFound()
    {
        using var quoter = new SimulatedQuoter();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var claims = DiceClaims.Encode(key.ExportSubjectPublicKeyInfo(), nonce: null);
        var quote = await quoter.QuoteAsync(SHA256.HashData(claims), TestContext.Current.CancellationToken);
        var evidence = DiceEvidence.Parse(DiceEvidence.Encode(quote, claims));
        LaunchRecord Record(string expected, byte[] peerKey) => LaunchRecord.Of(
            EnclaveVerification.Verify(evidence, peerKey, null, new EnclaveReference { MrEnclave = [expected] }, quoter.Options), "tcp://a:1", "name", SimulatedQuoter.Now);

        var accepted = Record(quoter.MrEnclave, key.ExportSubjectPublicKeyInfo());
        Assert.True(accepted is { Accepted: true, Genuine: true, Simulated: true, Debug: false, Reason: null });
        Assert.Equal((quoter.MrEnclave, quoter.MrSigner), (accepted.MrEnclave, accepted.MrSigner));
        var other = Record(new string('0', 64), key.ExportSubjectPublicKeyInfo());
        Assert.True(other is { Accepted: false, Genuine: true } && other.Reason!.Contains(quoter.MrEnclave, StringComparison.Ordinal));
        var stolen = Record(quoter.MrEnclave, [1, 2, 3]);
        Assert.True(stolen is { Accepted: false, Genuine: false });

        var log = new LaunchRecordLog(Path.Combine(_directory, "records.jsonl"));
        Assert.Empty(log.Read());
        Assert.Null(log.LastMeasurement("tcp://a:1"));
        foreach (var record in new[] { accepted, other, stolen with { MrEnclave = new string('9', 64) } })
            log.Append(record);
        Assert.Equal([accepted, other], log.Read().Take(2));
        Assert.Equal(quoter.MrEnclave, log.LastMeasurement("tcp://a:1"));
        Assert.Null(log.LastMeasurement("tcp://b:1"));
        File.AppendAllText(Path.Combine(_directory, "records.jsonl"), "{\n");
        Assert.Throws<MalformedDataException>(() => log.Read().Count());
    }
}
