using Kist.Simulator;
using Microsoft.Playwright;

namespace Kist.Console.Tests;

/// <summary>What each page is for, done as a person would.</summary>
public sealed class PageTests(ConsoleSite site)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task ShowAsync(IPage page, string name) => page.ClickAsync($"nav a[href='#{name}']");

    [Fact]
    public async Task SignIn_WrongToken_IsSaidAndNothingIsShown()
    {
        var page = await site.OpenAsync();
        await page.FillAsync("#token", "kist_admin_wrong");
        await page.ClickAsync("#sign-in button");
        await Assertions.Expect(page.Locator("#sign-in-error")).ToContainTextAsync("admin.unauthenticated");
        Assert.False(await page.Locator("nav").IsVisibleAsync());
    }

    [Fact]
    public async Task SignIn_OfOneRole_ShowsThatRolesPages()
    {
        var page = await site.OpenAsync(); // skips first
        using var admin = site.Admin();
        var created = await admin.CreateAdminTokenAsync(new Kist.KeyBroker.Protocol.CreateAdminTokenRequest { Name = "secrets-only", Roles = "secret-author" }, Token);
        await page.CloseAsync();
        page = await site.SignInAsync(token: created.Token);
        Assert.Equal(["Secrets", "Explain evidence", "This broker"], await page.Locator("nav a").AllInnerTextsAsync());
        await page.ClickAsync("#sign-out");
        await Assertions.Expect(page.Locator("#sign-in")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Attestations_ANewOne_AppearsByItself_AndIsExplained()
    {
        var page = await site.SignInAsync();
        await page.WaitForSelectorAsync("tbody tr");
        await site.AttestAsync(genuine: false);
        await Assertions.Expect(page.Locator("[role=status]", new PageLocatorOptions { HasText = "more since you looked" })).ToBeVisibleAsync();
        await page.Locator("tbody tr", new PageLocatorOptions { HasText = "evidence.refused" }).First.GetByRole(AriaRole.Button).ClickAsync();
        var explanation = page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "Explanation" });
        await Assertions.Expect(explanation.Locator(".sides .different").First).ToContainTextAsync("Expected");
        await Assertions.Expect(explanation.Locator(".sides .different").Last).ToContainTextAsync(new string('0', 96));
        await Assertions.Expect(explanation).ToContainTextAsync("What to do:");
        Assert.Equal("Explanation", await page.EvaluateAsync<string>("document.activeElement.getAttribute('aria-label')"));
    }

    [Fact]
    public async Task Policies_WhatWouldChange_IsShownBeforeItIsInForce()
    {
        var page = await site.SignInAsync();
        await ShowAsync(page, "policies");
        await page.ClickAsync("text=New for a repository or secret");
        await page.FillAsync("#scope", "web");
        await page.FillAsync("#policy", "package policy\ndefault allow = \n");
        await page.ClickAsync("text=What would change?");
        await Assertions.Expect(page.Locator("form .error")).ToContainTextAsync("policy.malformed");
        await page.FillAsync("#policy", "package policy\ndefault allow = false\n");
        await page.ClickAsync("text=What would change?");
        await Assertions.Expect(page.Locator("form [role=status]")).ToContainTextAsync("decisions would change");
        await Assertions.Expect(page.Locator("tr.changed").First).ToContainTextAsync("denied");
        await page.FillAsync("#scope", "elsewhere");
        await page.ClickAsync("text=Put in force");
        await Assertions.Expect(page.Locator("tbody tr", new PageLocatorOptions { HasText = "elsewhere" })).ToBeVisibleAsync();
        await page.ClickAsync("button[aria-label='Remove resource policy for elsewhere']");
        await page.ClickAsync("#ask-yes");
        await Assertions.Expect(page.Locator("tbody tr", new PageLocatorOptions { HasText = "elsewhere" })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task References_ShowClaimsAndHistory()
    {
        var page = await site.SignInAsync();
        await ShowAsync(page, "references");
        await page.ClickAsync("button[aria-label='Claims and history of sample/1']");
        await Assertions.Expect(page.Locator("tr[data-history]")).ToContainTextAsync("launch_digest");
    }

    [Fact]
    public async Task Secrets_ShowVersionsAndTerms_NeverValues()
    {
        var page = await site.SignInAsync();
        await ShowAsync(page, "secrets");
        await page.ClickAsync("button[aria-label='Versions and terms of web/key/1']");
        await Assertions.Expect(page.Locator("section.card")).ToContainTextAsync("of 1000 times");
        await page.ClickAsync("button[aria-label='Select version 1 of web/key/1']");
        await page.ClickAsync("#ask-yes");
        await Assertions.Expect(page.Locator("#message")).ToContainTextAsync("Done.");
    }

    [Fact]
    public async Task Audit_EntriesAndHead_AreProvedInThePage()
    {
        var page = await site.SignInAsync();
        using var admin = site.Admin();
        var kept = await admin.GetAuditHeadAsync(Token);
        await site.AttestAsync();
        await ShowAsync(page, "audit");
        await Assertions.Expect(page.Locator(".badge", new PageLocatorOptions { HasText = "signature holds" })).ToBeVisibleAsync();
        await page.ClickAsync("button[aria-label='Prove entry 3']");
        await Assertions.Expect(page.Locator("section.card h3")).ToContainTextAsync("in the tree");
        await Assertions.Expect(page.Locator(".steps li").Last).ToContainTextAsync("the root");
        await page.ClickAsync("text=Check against a head that I kept");
        await page.FillAsync("#earlier", $$"""{"size":{{kept.Size}},"root":"{{kept.Root}}"}""");
        await page.ClickAsync("form:has(#earlier) button");
        await Assertions.Expect(page.Locator("form:has(#earlier) [role=status]")).ToContainTextAsync("the log begins with it");
        await page.FillAsync("#earlier", $$"""{"size":{{kept.Size}},"root":"{{new string('0', 64)}}"}""");
        await page.ClickAsync("form:has(#earlier) button");
        await Assertions.Expect(page.Locator("form:has(#earlier) [role=status]")).ToContainTextAsync("does NOT begin");
    }

    [Fact]
    public async Task Audit_Search_Narrows()
    {
        var page = await site.SignInAsync();
        await ShowAsync(page, "audit");
        await page.FillAsync("#f-kind", "revoke");
        await page.ClickAsync("form[role=search] button");
        await Assertions.Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Explain_AQuote_IsJudgedAndTakenApart()
    {
        var page = await site.SignInAsync();
        await ShowAsync(page, "explain");
        var quote = new SimulatedTdxPlatform(SimulatedVendor.FromSeed(new byte[32])).Launch(Launch.Inputs).Quote(new byte[64]);
        await page.SetInputFilesAsync("#quote", new FilePayload { Name = "quote.bin", MimeType = "application/octet-stream", Buffer = quote });
        await Assertions.Expect(page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "Verdict" })).ToContainTextAsync("refused");
        await page.FillAsync("#filter", "mr_td");
        await Assertions.Expect(page.Locator("section[aria-label=Fields] tbody tr").First).ToContainTextAsync("mr_td");
        await page.ClickAsync("text=Paste text instead");
        await page.FillAsync("#pasted", "this is no evidence");
        await page.ClickAsync("details button");
        await Assertions.Expect(page.Locator("main .error")).ToContainTextAsync("request.malformed");
    }
}
