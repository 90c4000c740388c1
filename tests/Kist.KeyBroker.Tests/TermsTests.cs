using System.Security.Cryptography;
using System.Text;
using Kist.Formats.Jose;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Tests;

/// <summary>Leases, derived secrets and revocation.</summary>
public sealed class TermsTests
{
    private static readonly ResourceUri Secret = ResourceUri.Parse("a/b/c");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lease_ByNumber_EndsAfterSoManyReads()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetResourceTermsAsync(Secret, new ResourceTermsDocument { MaxReads = 2 }, Token);
        Assert.Equal("root", await ReadTextAsync(broker));
        Assert.Equal("root", await ReadTextAsync(broker));
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => ReadTextAsync(broker));
        Assert.Equal((403, "lease.exhausted"), (error.Status, error.Code));
        Assert.Equal((2L, 2L), await CountAsync(admin));
        await admin.DeleteResourceTermsAsync(Secret, Token);
        Assert.Equal("root", await ReadTextAsync(broker));
    }

    [Fact]
    public async Task Lease_ManyReadersAtOnce_GivesNoMoreThanItSays()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetResourceTermsAsync(Secret, new ResourceTermsDocument { MaxReads = 3 }, Token);
        using var guest = broker.Guest();
        await guest.GetTokenAsync(Token);
        var given = await Task.WhenAll(Enumerable.Range(0, 12).Select(async _ =>
        {
            try
            {
                (await guest.GetResourceAsync(Secret.ToString(), Token)).Dispose();
                return 1;
            }
            catch (KeyBrokerException e) when (e.Code == "lease.exhausted")
            {
                return 0;
            }
        }));
        Assert.Equal(3, given.Sum());
        Assert.Equal(3, (await admin.SearchAuditAsync(new AuditSearch { Kind = "resource.read", Outcome = "allowed" }, Token)).Count);
    }

    [Fact]
    public async Task Lease_ByTime_EndsThen()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetResourceTermsAsync(Secret, new ResourceTermsDocument { Until = TestBroker.Start.AddMinutes(2) }, Token);
        Assert.Equal("root", await ReadTextAsync(broker));
        broker.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("lease.exhausted", (await Assert.ThrowsAsync<KeyBrokerException>(() => ReadTextAsync(broker))).Code);
    }

    [Fact]
    public async Task Derived_SecretIsTheWorkloadsOwn()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        await admin.SetResourceTermsAsync(Secret, new ResourceTermsDocument { DerivedBy = "sample.launch_digest" }, Token);
        var expected = HKDF.DeriveKey(
            HashAlgorithmName.SHA256, "root"u8.ToArray(), 32, [], "kist derived secret 1\na/b/c\nsample.launch_digest\nabcde"u8.ToArray());
        Assert.Equal(expected, await ReadAsync(broker));
        await admin.SetResourceTermsAsync(Secret, new ResourceTermsDocument { DerivedBy = "init_data" }, Token);
        Assert.Equal("policy.denied", (await Assert.ThrowsAsync<KeyBrokerException>(() => ReadAsync(broker))).Code);
    }

    [Fact]
    public async Task Revoked_WorkloadOrToken_GetsNothingMore()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        foreach (var kind in new[] { "workload", "token" })
        {
            var handshake = await broker.AuthAsync();
            var token = await broker.AttestAsync(handshake);
            using (var before = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c", bearer: token))
                Assert.True(before.IsSuccessStatusCode);
            using var claims = System.Text.Json.JsonDocument.Parse(JwsToken.Parse(token).Payload);
            var value = kind == "token"
                ? claims.RootElement.GetProperty("jti").GetString()!
                : EcJsonWebKey.FromPublicKey(handshake.Key, null).Thumbprint();
            await admin.RevokeAsync(new RevocationDocument { Kind = kind, Value = value, Reason = "left the company" }, Token);
            using (var after = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c", bearer: token))
                Assert.Equal((403, "workload.revoked"), ((int)after.StatusCode, (await TestBroker.ErrorOf(after)).Code));
            await admin.DeleteRevocationAsync(kind, value, Token);
            using var lifted = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c", bearer: token);
            Assert.True(lifted.IsSuccessStatusCode);
        }

        Assert.Empty(await admin.ListRevocationsAsync(Token));
        Assert.Equal(400, (await Assert.ThrowsAsync<KeyBrokerException>(
            () => admin.RevokeAsync(new RevocationDocument { Kind = "everything", Value = "x", Reason = "y" }, Token))).Status);
    }

    private static async Task<TestBroker> StartAsync()
    {
        var broker = await TestBroker.StartAsync();
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        await admin.PutResourceAsync(Secret, "root"u8.ToArray(), Token);
        return broker;
    }

    private static async Task<byte[]> ReadAsync(TestBroker broker)
    {
        using var guest = broker.Guest();
        using var secret = await guest.GetResourceAsync(Secret.ToString(), Token);
        return secret.Span.ToArray();
    }

    private static async Task<string> ReadTextAsync(TestBroker broker) => Encoding.UTF8.GetString(await ReadAsync(broker));

    private static async Task<(long?, long)> CountAsync(KeyBrokerAdminClient admin)
    {
        var terms = await admin.GetResourceTermsAsync(Secret, Token);
        return (terms.MaxReads, terms.Reads);
    }
}
