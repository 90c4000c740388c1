using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Tests;

public sealed class TwoPersonTests
{
    private const string AllowAll = "package policy\ndefault allow = true\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Change_OfOnePerson_IsInForceOnlyWhenAnotherApproves()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { RequireTwoPersons = true });
        using var first = broker.Admin();
        using var author = await CreateAsync(broker, first, "author", "policy-author,reference-author");
        using var second = await CreateAsync(broker, first, "second", "policy-author,reference-author");
        using var auditor = await CreateAsync(broker, first, "auditor", "auditor");
        await first.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);

        await author.SetResourcePolicyAsync("", AllowAll, Token);
        var proposal = Assert.Single(await auditor.ListProposalsAsync(false, Token));
        Assert.Equal(("policy.resource.set", "author", AllowAll), (proposal.Kind, proposal.ProposedBy, proposal.Body));
        Assert.Equal(403, await StatusOfReadAsync(broker));

        Assert.Equal(403, (await Assert.ThrowsAsync<KeyBrokerException>(() => author.ApproveProposalAsync(proposal.Id, Token))).Status);
        Assert.Equal(403, (await Assert.ThrowsAsync<KeyBrokerException>(() => auditor.ApproveProposalAsync(proposal.Id, Token))).Status);
        Assert.Equal(404, (await Assert.ThrowsAsync<KeyBrokerException>(() => second.ApproveProposalAsync("none", Token))).Status);
        Assert.Equal(403, await StatusOfReadAsync(broker));

        await second.ApproveProposalAsync(proposal.Id, Token);
        Assert.Null(await StatusOfReadAsync(broker));
        Assert.Equal(409, (await Assert.ThrowsAsync<KeyBrokerException>(() => second.ApproveProposalAsync(proposal.Id, Token))).Status);
        Assert.Equal(("approved", "second"), ((await first.ListProposalsAsync(true, Token))[0].Decision, (await first.ListProposalsAsync(true, Token))[0].DecidedBy));
        var entry = Assert.Single(await first.SearchAuditAsync(new AuditSearch { Kind = "policy.resource.set" }, Token)).Entry;
        Assert.Contains("\"actor\":\"second\"", entry, StringComparison.Ordinal);
        Assert.Contains("\"proposed_by\":\"author\"", entry, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReferenceSets_NeedASecondPersonToo_AndMayBeRejected()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { RequireTwoPersons = true });
        using var first = broker.Admin();
        using var second = await CreateAsync(broker, first, "second", "reference-author");
        await first.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await first.RegisterReferenceValuesAsync("""{"x":1}"""u8.ToArray(), Token);
        Assert.Empty(await first.ListReferenceSetsAsync("", 10, Token));
        Assert.Empty(await first.ListReferenceValuesAsync("", 10, Token));
        var proposals = await first.ListProposalsAsync(false, Token);
        await second.RejectProposalAsync(proposals.Single(p => p.Kind == "reference.value.set").Id, Token);
        await second.ApproveProposalAsync(proposals.Single(p => p.Kind == "reference.set.set").Id, Token);
        Assert.Single(await first.ListReferenceSetsAsync("", 10, Token));
        Assert.Empty(await first.ListReferenceValuesAsync("", 10, Token));
        // What is not valid is not proposed either.
        await Assert.ThrowsAsync<KeyBrokerException>(() => first.SetResourcePolicyAsync("", "not rego", Token));
        Assert.Empty(await first.ListProposalsAsync(false, Token));
    }

    private static async Task<KeyBrokerAdminClient> CreateAsync(TestBroker broker, KeyBrokerAdminClient first, string name, string roles) =>
        broker.Admin((await first.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = name, Roles = roles }, Token)).Token);

    private static async Task<int?> StatusOfReadAsync(TestBroker broker)
    {
        using var guest = broker.Guest();
        try
        {
            (await guest.GetResourceAsync("a/b/c", Token)).Dispose();
            return null;
        }
        catch (KeyBrokerException e)
        {
            return e.Status;
        }
    }
}
