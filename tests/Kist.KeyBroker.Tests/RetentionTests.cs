using System.Text;
using System.Text.Json;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Tests;

/// <summary>What the audit log lets go of, and that what is left can still be proved.</summary>
public sealed class RetentionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Entries_Old_GiveWayToASignedCheckpoint_AndProofsHold()
    {
        await using var broker = await StartAsync(new RetentionPolicy { Entries = TimeSpan.FromDays(30) });
        using var admin = broker.Admin();
        await WriteAsync(admin, 5);
        var early = await admin.GetAuditHeadAsync(Token);
        var removed = await admin.ListAuditEntriesAsync(0, 100, Token);
        broker.Time.AdjustTime(broker.Time.GetUtcNow().AddDays(20));
        await WriteAsync(admin, 6);
        var between = await admin.GetAuditHeadAsync(Token);
        Prune(broker, TimeSpan.FromDays(15));

        var left = await admin.ListAuditEntriesAsync(0, 100, Token);
        Assert.Equal(5, left[0].Sequence);
        Assert.Contains("\"audit.prune\"", left[^1].Entry, StringComparison.Ordinal);
        var checkpoint = await admin.GetAuditCheckpointAsync(Token);
        var key = await admin.GetAuditKeyAsync(Token);
        Assert.True(TreeHeads.Verify(checkpoint!.Head, key));
        Assert.Equal((5, early.Root), (checkpoint.Head.Size, checkpoint.Head.Root));

        // What an auditor kept of before is still proved, whether it is left or not.
        var now = await admin.GetAuditHeadAsync(Token);
        foreach (var entry in removed.Concat(left))
        {
            var proof = await admin.GetInclusionProofAsync(entry.Sequence, now.Size, Token);
            Assert.True(MerkleTree.VerifyInclusion(
                MerkleTree.LeafHash(Encoding.UTF8.GetBytes(entry.Entry)), entry.Sequence, now.Size, proof, Convert.FromHexString(now.Root)));
        }

        var consistency = await admin.GetConsistencyProofAsync(early.Size, now.Size, Token);
        Assert.True(MerkleTree.VerifyConsistency(early.Size, Convert.FromHexString(early.Root), now.Size, Convert.FromHexString(now.Root), consistency));

        // The exported rest is verified offline from the checkpoint on.
        var lines = await ExportAsync(admin);
        var report = await AuditBundle.VerifyAsync(new StringReader(string.Join('\n', lines)), key, between, Token);
        Assert.True(report.Holds, string.Join("; ", report.Problems));
        Assert.Equal((5, left.Count, true), (report.Begins, report.Entries, report.EarlierHolds));
        Assert.Null((await AuditBundle.VerifyAsync(new StringReader(string.Join('\n', lines)), key, early with { Size = 4 }, Token)).EarlierHolds);
    }

    [Fact]
    public async Task Bundle_WithACheckpointThatWasTouched_DoesNotHold()
    {
        await using var broker = await StartAsync(new RetentionPolicy { Entries = TimeSpan.FromDays(30) });
        using var admin = broker.Admin();
        await WriteAsync(admin, 7);
        broker.Time.AdjustTime(broker.Time.GetUtcNow().AddDays(20));
        await WriteAsync(admin, 2);
        Prune(broker, TimeSpan.FromDays(15));
        var lines = await ExportAsync(admin);
        Assert.True((await VerifyAsync(lines)).Holds);
        var subtree = JsonDocument.Parse(lines[0]).RootElement.GetProperty("checkpoint").GetProperty("subtrees")[1].GetString()!;
        Assert.False((await VerifyAsync([lines[0].Replace(subtree, new string('0', 64), StringComparison.Ordinal), .. lines[1..]])).Holds);
        Assert.False((await VerifyAsync([lines[0], .. lines[2..]])).Holds);
        await Assert.ThrowsAsync<Kist.Formats.MalformedDataException>(() =>
            VerifyAsync([lines[0].Replace("\"size\":7", "\"size\":6", StringComparison.Ordinal), .. lines[1..]]));
    }

    [Fact]
    public async Task Evidence_Old_Goes_AndItsVerdictStays()
    {
        await using var broker = await StartAsync(new RetentionPolicy { Evidence = TimeSpan.FromDays(10) });
        await broker.AttestAsync(await broker.AuthAsync());
        using var admin = broker.Admin();
        var (evidence, verdict) = Attachments(Assert.Single(await admin.ListAuditEntriesAsync(0, 10, Token)));
        Prune(broker, TimeSpan.FromDays(9));
        Assert.NotEqual(0, (await admin.GetAuditAttachmentAsync(evidence, Token)).Length);
        Prune(broker, TimeSpan.FromDays(2));
        Assert.Equal(404, (await Assert.ThrowsAsync<KeyBrokerException>(() => admin.GetAuditAttachmentAsync(evidence, Token))).Status);
        Assert.NotEqual(0, (await admin.GetAuditAttachmentAsync(verdict, Token)).Length);
    }

    [Fact]
    public async Task Evidence_TooMuch_OldestGoesFirst()
    {
        await using var broker = await StartAsync(new RetentionPolicy { Evidence = null, EvidenceBytes = 1 });
        await broker.AttestAsync(await broker.AuthAsync());
        using var admin = broker.Admin();
        var (evidence, _) = Attachments(Assert.Single(await admin.ListAuditEntriesAsync(0, 10, Token)));
        Prune(broker, TimeSpan.FromMinutes(11));
        Assert.Equal(404, (await Assert.ThrowsAsync<KeyBrokerException>(() => admin.GetAuditAttachmentAsync(evidence, Token))).Status);
    }

    [Fact]
    public async Task Evidence_RefusedAndLarge_IsNamedButNotKept()
    {
        await using var broker = await StartAsync(new RetentionPolicy());
        var handshake = await broker.AuthAsync();
        var noise = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(600_000));
        var body = handshake.AttestBody(reportData: new byte[48]).Replace("\"svn\"", $"\"padding\": \"{noise}\", \"svn\"", StringComparison.Ordinal);
        using (var response = await broker.PostAsync("/kbs/v0/attest", body, handshake.Session))
            Assert.Equal(403, (int)response.StatusCode);
        using var admin = broker.Admin();
        var (evidence, _) = Attachments(Assert.Single(await admin.ListAuditEntriesAsync(0, 10, Token)));
        Assert.Equal(404, (await Assert.ThrowsAsync<KeyBrokerException>(() => admin.GetAuditAttachmentAsync(evidence, Token))).Status);
    }

    [Fact]
    public async Task Backup_OfAPrunedLog_IsCheckedFromItsCheckpoint()
    {
        await using var broker = await StartAsync(new RetentionPolicy { Entries = TimeSpan.FromDays(30) });
        using (var admin = broker.Admin())
        {
            await WriteAsync(admin, 5);
            broker.Time.AdjustTime(broker.Time.GetUtcNow().AddDays(20));
            await WriteAsync(admin, 2);
        }

        Prune(broker, TimeSpan.FromDays(15));
        var copy = Path.Combine(broker.Folder, "copy.db");
        BrokerBackup.Create(broker.Folder, copy);
        Assert.Equal(3, BrokerBackup.Restore(copy, Path.Combine(broker.Folder, "restored")));
    }

    private static Task<TestBroker> StartAsync(RetentionPolicy policy) => TestBroker.StartAsync(o => o with { Retention = policy });

    private static async Task WriteAsync(KeyBrokerAdminClient admin, int count)
    {
        for (var i = 0; i < count; i++)
            await admin.PutResourceAsync(ResourceUri.Parse($"a/b/{i}"), new byte[1], Token);
    }

    // The timer runs within the advance of the clock; a jump does not run it once for each of its periods.
    private static void Prune(TestBroker broker, TimeSpan later)
    {
        broker.Time.AdjustTime(broker.Time.GetUtcNow() + later);
        broker.Time.Advance(TimeSpan.FromMinutes(11));
    }

    private static async Task<string[]> ExportAsync(KeyBrokerAdminClient admin)
    {
        using var output = new StringWriter();
        await AuditBundle.ExportAsync(admin, output, Token);
        return output.ToString().TrimEnd('\n').Split('\n');
    }

    private static Task<AuditReport> VerifyAsync(IEnumerable<string> lines) => AuditBundle.VerifyAsync(new StringReader(string.Join('\n', lines)), null, null, Token);

    private static (string Evidence, string Verdict) Attachments(AuditEntryDocument entry)
    {
        using var document = JsonDocument.Parse(entry.Entry);
        var attachments = document.RootElement.GetProperty("attachments");
        return (attachments.GetProperty("evidence").GetString()!, attachments.GetProperty("verdict.cpu0").GetString()!);
    }
}
