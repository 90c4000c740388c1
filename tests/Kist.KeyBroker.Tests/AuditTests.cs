using System.Text;
using System.Text.Json;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Tests;

public sealed class AuditTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Log_HandshakeAndSecret_AreRecordedWithVerdictAndEvidence()
    {
        await using var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "very secret"u8.ToArray(), Token);
        using var guest = broker.Guest();
        (await guest.GetResourceAsync("a/b/c", Token)).Dispose();

        var entries = await admin.ListAuditEntriesAsync(0, 100, Token);
        Assert.Equal(
            ["reference.set.set", "resource.write", "attest", "resource.read"],
            entries.Select(e => JsonDocument.Parse(e.Entry).RootElement.GetProperty("kind").GetString()));
        using var attest = JsonDocument.Parse(entries[2].Entry);
        Assert.Equal("allowed", attest.RootElement.GetProperty("outcome").GetString());
        Assert.Equal("affirming", attest.RootElement.GetProperty("parts").GetProperty("cpu0").GetProperty("status").GetString());
        var verdict = await admin.GetAuditAttachmentAsync(attest.RootElement.GetProperty("attachments").GetProperty("verdict.cpu0").GetString()!, Token);
        Assert.Contains("\"sample.report_data\"", Encoding.UTF8.GetString(verdict.Span), StringComparison.Ordinal);
        var evidence = await admin.GetAuditAttachmentAsync(attest.RootElement.GetProperty("attachments").GetProperty("evidence").GetString()!, Token);
        Assert.Contains("primary_evidence", Encoding.UTF8.GetString(evidence.Span), StringComparison.Ordinal);
        using var read = JsonDocument.Parse(entries[3].Entry);
        Assert.Equal(attest.RootElement.GetProperty("workload").GetString(), read.RootElement.GetProperty("workload").GetString());
        Assert.Equal(attest.RootElement.GetProperty("token").GetString(), read.RootElement.GetProperty("token").GetString());
        Assert.Equal(1, read.RootElement.GetProperty("version").GetInt64());
        Assert.DoesNotContain("very secret", string.Concat(entries.Select(e => e.Entry)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Head_SignedAndProved_HoldsAndGrows()
    {
        await using var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        for (var i = 0; i < 5; i++)
            await admin.PutResourceAsync(ResourceUri.Parse($"a/b/{i}"), new byte[1], Token);
        var key = await admin.GetAuditKeyAsync(Token);
        var first = await admin.GetAuditHeadAsync(Token);
        Assert.True(TreeHeads.Verify(first, key));
        Assert.False(TreeHeads.Verify(first with { Size = 4 }, key));
        Assert.False(TreeHeads.Verify(first with { Root = new string('0', 64) }, key));
        for (var i = 0; i < 8; i++)
            await admin.PutResourceAsync(ResourceUri.Parse($"a/c/{i}"), new byte[1], Token);
        var second = await admin.GetAuditHeadAsync(Token);
        Assert.Equal((5, 13), (first.Size, second.Size));
        var consistency = await admin.GetConsistencyProofAsync(5, 13, Token);
        Assert.True(MerkleTree.VerifyConsistency(5, Convert.FromHexString(first.Root), 13, Convert.FromHexString(second.Root), consistency));
        foreach (var entry in await admin.ListAuditEntriesAsync(0, 100, Token))
        {
            var proof = await admin.GetInclusionProofAsync(entry.Sequence, 13, Token);
            Assert.True(MerkleTree.VerifyInclusion(
                MerkleTree.LeafHash(Encoding.UTF8.GetBytes(entry.Entry)), entry.Sequence, 13, proof, Convert.FromHexString(second.Root)));
        }

        await Assert.ThrowsAsync<KeyBrokerException>(() => admin.GetConsistencyProofAsync(5, 14, Token));
        await Assert.ThrowsAsync<KeyBrokerException>(() => admin.GetInclusionProofAsync(13, 13, Token));
    }

    [Fact]
    public async Task Bundle_Untouched_Holds_AndAnyChangeIsFound()
    {
        await using var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        for (var i = 0; i < 3; i++)
            await admin.PutResourceAsync(ResourceUri.Parse($"a/b/{i}"), new byte[1], Token);
        var earlier = await admin.GetAuditHeadAsync(Token);
        var key = await admin.GetAuditKeyAsync(Token);
        for (var i = 0; i < 3; i++)
            await admin.DeleteResourceAsync(ResourceUri.Parse($"a/b/{i}"), Token);
        using var output = new StringWriter();
        await AuditBundle.ExportAsync(admin, output, Token);
        var lines = output.ToString().TrimEnd('\n').Split('\n');
        Assert.Equal(7, lines.Length);

        Task<AuditReport> Verify(IEnumerable<string> bundle, AuditTreeHead? head = null) =>
            AuditBundle.VerifyAsync(new StringReader(string.Join('\n', bundle)), key, head ?? earlier, Token);

        var good = await Verify(lines);
        Assert.True(good.Holds, string.Join("; ", good.Problems));
        Assert.Equal((6, true, true), (good.Entries, good.KeyWasGiven, good.EarlierHolds));

        Assert.False((await Verify(lines[..^1])).Holds); // the last one removed
        Assert.False((await Verify([.. lines[..2], .. lines[3..]])).Holds); // one in the middle removed
        Assert.False((await Verify([lines[0], lines[2], lines[1], .. lines[3..]])).Holds); // two swapped
        Assert.False((await Verify([.. lines, lines[^1]])).Holds); // one added
        for (var i = 1; i < lines.Length; i++)
        {
            var edited = lines.ToArray();
            edited[i] = edited[i].Replace("allowed", "denied!", StringComparison.Ordinal);
            Assert.False((await Verify(edited)).Holds);
        }

        Assert.False((await Verify(lines, earlier with { Root = new string('0', 64) })).Holds);
        var forged = lines.ToArray();
        forged[0] = forged[0].Replace("\"size\":6", "\"size\":5", StringComparison.Ordinal);
        Assert.False((await Verify(forged[..^1])).Holds);
    }

    [Fact]
    public async Task Bundle_OfAnotherBroker_IsNotTheGivenKeys()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var other = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        using var otherAdmin = other.Admin();
        using var output = new StringWriter();
        await AuditBundle.ExportAsync(admin, output, Token);
        var report = await AuditBundle.VerifyAsync(new StringReader(output.ToString()), await otherAdmin.GetAuditKeyAsync(Token), null, Token);
        Assert.False(report.Holds);
    }

    [Fact]
    public async Task Search_ByEachMember_FindsTheEntry()
    {
        await using var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), new byte[1], Token);
        broker.Time.Advance(TimeSpan.FromMinutes(1));
        await admin.DeleteResourceAsync(ResourceUri.Parse("a/b/c"), Token);
        async Task<int> Count(AuditSearch search) => (await admin.SearchAuditAsync(search, Token)).Count;
        Assert.Equal(2, await Count(new AuditSearch()));
        Assert.Equal(2, await Count(new AuditSearch { Resource = "a/b/c" }));
        Assert.Equal(1, await Count(new AuditSearch { Kind = "resource.write" }));
        Assert.Equal(1, await Count(new AuditSearch { From = TestBroker.Start.AddSeconds(30) }));
        Assert.Equal(1, await Count(new AuditSearch { Until = TestBroker.Start.AddSeconds(30) }));
        Assert.Equal(1, await Count(new AuditSearch { Before = 1 }));
        Assert.Equal(1, await Count(new AuditSearch { Limit = 1 }));
        Assert.Equal(0, await Count(new AuditSearch { Outcome = "denied" }));
        Assert.Equal(0, await Count(new AuditSearch { Tee = "tdx", Workload = "x" }));
    }
}
