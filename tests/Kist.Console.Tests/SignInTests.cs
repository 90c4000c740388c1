using Kist.KeyBroker.Protocol;
using Microsoft.Playwright;

namespace Kist.Console.Tests;

/// <summary>Signing in by redirect, and looking at tenants.</summary>
public sealed class SignInTests(ConsoleSite site)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ByRedirect_SignsInUntilOneSignsOut()
    {
        var page = await site.OpenAsync();
        await page.ClickAsync("text=Sign in with Example");
        await page.WaitForSelectorAsync("nav a[aria-current]");
        await Assertions.Expect(page.Locator("#who")).ToContainTextAsync($"alice@{site.Provider.Issuer}, administrator");
        // No script can read the session, and it is there after the page was loaded again.
        Assert.Equal("", await page.EvaluateAsync<string>("document.cookie"));
        await page.ReloadAsync();
        await page.WaitForSelectorAsync("nav a[aria-current]");
        await page.ClickAsync("nav a[href='#secrets']");
        await page.ClickAsync("button[aria-label='Versions and terms of web/shared/1']");
        await page.ClickAsync("button[aria-label='Select version 1 of web/shared/1']");
        await page.ClickAsync("#ask-yes");
        await Assertions.Expect(page.Locator("#message")).ToContainTextAsync("Done.");
        await page.ClickAsync("#sign-out");
        await Assertions.Expect(page.Locator("#sign-in")).ToBeVisibleAsync();
        await page.ReloadAsync();
        await Assertions.Expect(page.Locator("#providers")).ToBeVisibleAsync();
        Assert.False(await page.Locator("nav").IsVisibleAsync());
    }

    [Fact]
    public async Task ByRedirect_ThatWasNotBegunHere_IsSaid()
    {
        var page = await site.OpenAsync();
        await page.GotoAsync($"{site.Address}signed-in?code=stolen&state=made-up");
        await Assertions.Expect(page.Locator("#sign-in-error")).ToContainTextAsync("not begun here");
        Assert.DoesNotContain("failed", page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tenants_AreLookedAtOneAtATime()
    {
        var page = await site.SignInAsync();
        await page.ClickAsync("nav a[href='#secrets']");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("web/key/1");
        await page.SelectOptionAsync("#tenant", "acme");
        await Assertions.Expect(page.Locator("main")).Not.ToContainTextAsync("web/key/1");
        Assert.Equal(0, await page.Locator("nav a[href='#explain']").CountAsync());
        await page.SelectOptionAsync("#tenant", "");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("web/key/1");
    }

    [Fact]
    public async Task Tenants_AdministratorOfOne_SeesThatOneOnly()
    {
        var page = await site.OpenAsync(); // skips first
        string? token;
        using (var admin = site.AdminOf("acme"))
            token = (await admin.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = "of-acme", Roles = "administrator" }, Token)).Token;
        Assert.NotNull(token);
        await page.FillAsync("#token", token);
        await page.ClickAsync("#sign-in button");
        await Assertions.Expect(page.Locator("#sign-in-error")).ToContainTextAsync("admin.forbidden");
        await page.FillAsync("#token", token);
        await page.FillAsync("#of-tenant", "acme");
        await page.ClickAsync("#sign-in button");
        await page.WaitForSelectorAsync("nav a[aria-current]");
        Assert.Equal(["acme"], await page.Locator("#tenant option").AllInnerTextsAsync());
    }
}
