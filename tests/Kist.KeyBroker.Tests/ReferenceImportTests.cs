using System.Security.Cryptography;
using System.Text;
using Kist.Attestation.References;
using Kist.KeyBroker.Protocol;
using Kist.Measurement.Manifests;

namespace Kist.KeyBroker.Tests;

/// <summary>Documents with reference values, and whose signature makes them count.</summary>
public sealed class ReferenceImportTests
{
    private static readonly ECDsa s_signer = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private static readonly ECDsa s_other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static byte[] SetJson(ReferenceSet? set = null) => KbsJson.Write(set ?? PolicyTests.SampleSet());

    private static byte[] Signed(byte[] json, ECDsa? key = null) => Encoding.ASCII.GetBytes(SignedReferenceSet.Sign(json, key ?? s_signer));

    private static byte[] Corim(DateTimeOffset from, DateTimeOffset until)
    {
        var registers = $"\"mrtd\":\"{new string('a', 96)}\",\"rtmr1\":\"{new string('b', 96)}\"";
        var manifest = ManifestJson.Parse(Encoding.UTF8.GetBytes(
            $"{{\"kist_measurement\":1,\"tee\":\"tdx\",\"profile\":\"test\",\"inputs\":{{}},\"registers\":{{{registers}}},\"steps\":[],\"not_covered\":[]}}"));
        return CorimWriter.Write(manifest, ["mrtd", "rtmr1"], "guest/7", from, until);
    }

    private static Task<TestBroker> StartAsync(bool signedOnly = false, bool twoPersons = false) => TestBroker.StartAsync(o => o with
    {
        ReferenceSigners = [s_other.ExportSubjectPublicKeyInfo(), s_signer.ExportSubjectPublicKeyInfo()],
        RequireSignedReferences = signedOnly,
        RequireTwoPersons = twoPersons,
    });

    [Fact]
    public async Task Import_ASignedSet_PutsItInForceWithItsSignerAsSource()
    {
        await using var broker = await StartAsync(signedOnly: true);
        using var admin = broker.Admin();
        var report = await admin.ImportReferencesAsync(Signed(SetJson()), false, Token);
        var signer = Convert.ToHexStringLower(SHA256.HashData(s_signer.ExportSubjectPublicKeyInfo()));
        Assert.Equal((signer, "sample/1", false), (report.Signer, report.Names.Single(), report.WaitsForApproval));
        var stored = (await admin.ListReferenceSetsAsync("", 10, Token)).Single();
        Assert.True(stored.InForce);
        Assert.Equal($"test; signed by {signer}", stored.Set.Source);
    }

    [Fact]
    public async Task Import_ASignedCorim_GivesASetThatMustMatchTogether()
    {
        await using var broker = await StartAsync(signedOnly: true);
        using var admin = broker.Admin();
        var (from, until) = (TestBroker.Start.AddDays(-1), TestBroker.Start.AddDays(30));
        var report = await admin.ImportReferencesAsync(CorimWriter.Sign(Corim(from, until), s_signer, "release team"), false, Token);
        var stored = (await admin.ListReferenceSetsAsync("", 10, Token)).Single();
        Assert.Equal(["guest/7"], report.Names);
        Assert.Equal(("tdx", from, until), (stored.Set.Tee, stored.Set.NotBefore, stored.Set.Expires));
        Assert.Equal([new string('a', 96)], stored.Set.Claims["quote.body.mr_td"]);
        Assert.Equal([new string('b', 96)], stored.Set.Claims["quote.body.rtmr_1"]);
    }

    [Fact]
    public async Task Import_WithoutATrustedSignature_IsRefused()
    {
        await using var broker = await StartAsync(signedOnly: true);
        using var admin = broker.Admin();
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var (from, until) = (TestBroker.Start, TestBroker.Start.AddDays(30));
        var changed = Signed(SetJson());
        changed[^5] = (byte)(changed[^5] == 'A' ? 'B' : 'A');
        foreach (var document in new[] { SetJson(), Corim(from, until), Signed(SetJson(), stranger), CorimWriter.Sign(Corim(from, until), stranger, "x"), changed })
        {
            foreach (var allow in new[] { false, true })
                Assert.Equal((403, "reference.unsigned"), await RefusalAsync(() => admin.ImportReferencesAsync(document, allow, Token)));
        }

        Assert.Equal((403, "reference.unsigned"), await RefusalAsync(() => admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token)));
        Assert.Equal((403, "reference.unsigned"), await RefusalAsync(() => admin.RegisterReferenceValuesAsync("""{"a":["b"]}"""u8.ToArray(), Token)));
        Assert.Empty(await admin.ListReferenceSetsAsync("", 10, Token));
    }

    [Fact]
    public async Task Import_Unsigned_OnlyWhereItIsAllowedAndAskedFor()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        Assert.Equal((403, "reference.unsigned"), await RefusalAsync(() => admin.ImportReferencesAsync(SetJson(), false, Token)));
        Assert.Null((await admin.ImportReferencesAsync(SetJson(), true, Token)).Signer);
        Assert.Null((await admin.ImportReferencesAsync(Corim(TestBroker.Start, TestBroker.Start.AddDays(1)), true, Token)).Signer);

        // A wrong signature is not the same as none.
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Equal((403, "reference.unsigned"), await RefusalAsync(() => admin.ImportReferencesAsync(Signed(SetJson(), stranger), true, Token)));
    }

    [Fact]
    public async Task Import_OutsideItsValidity_IsRefusedOrMatchesLater()
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        var ended = PolicyTests.SampleSet() with { Expires = TestBroker.Start };
        Assert.Equal((400, "reference.malformed"), await RefusalAsync(() => admin.ImportReferencesAsync(Signed(SetJson(ended)), false, Token)));
        Assert.Equal((400, "reference.malformed"), await RefusalAsync(() => admin.ImportReferencesAsync(
            CorimWriter.Sign(Corim(TestBroker.Start.AddDays(-2), TestBroker.Start.AddDays(-1)), s_signer, "x"), false, Token)));
        await admin.ImportReferencesAsync(CorimWriter.Sign(Corim(TestBroker.Start.AddDays(1), TestBroker.Start.AddDays(2)), s_signer, "x"), false, Token);
        Assert.False((await admin.ListReferenceSetsAsync("", 10, Token)).Single().InForce);
        broker.Time.Advance(TimeSpan.FromDays(1.5));
        Assert.True((await admin.ListReferenceSetsAsync("", 10, Token)).Single().InForce);
    }

    [Fact]
    public async Task Import_ThroughTrusteesRoute_TakesItsTypeCorim()
    {
        await using var broker = await StartAsync();
        var corim = Convert.ToBase64String(Corim(TestBroker.Start, TestBroker.Start.AddDays(1)));
        using var response = await broker.PostAsync(
            "/kbs/v0/reference-value", $$"""{"version":"0.1.0","type":"corim","payload":"{{corim}}"}""", bearer: File.ReadAllText(broker.Server.AdminTokenFile).Trim());
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
        using var admin = broker.Admin();
        Assert.Equal("guest/7", (await admin.ListReferenceSetsAsync("", 10, Token)).Single().Set.Name);
    }

    [Fact]
    public async Task Import_UnderTheTwoPersonRule_Waits()
    {
        await using var broker = await StartAsync(twoPersons: true);
        using var admin = broker.Admin();
        Assert.True((await admin.ImportReferencesAsync(Signed(SetJson()), false, Token)).WaitsForApproval);
        Assert.Empty(await admin.ListReferenceSetsAsync("", 10, Token));
        var other = await admin.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "second", Roles = "reference-author" }, Token);
        using var second = broker.Admin(other.Token);
        await second.ApproveProposalAsync((await second.ListProposalsAsync(false, Token)).Single().Id, Token);
        Assert.Single(await admin.ListReferenceSetsAsync("", 10, Token));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("not CBOR")]
    [InlineData("eyJhbGciOiJub25lIn0.e30.")]
    public async Task Import_OtherBytes_AreMalformed(string text)
    {
        await using var broker = await StartAsync();
        using var admin = broker.Admin();
        Assert.Equal((400, "reference.malformed"), await RefusalAsync(() => admin.ImportReferencesAsync(Encoding.UTF8.GetBytes(text), true, Token)));
    }

    private static async Task<(int?, string?)> RefusalAsync(Func<Task> act)
    {
        var e = await Assert.ThrowsAsync<KeyBrokerException>(act);
        return (e.Status, e.Code);
    }
}
