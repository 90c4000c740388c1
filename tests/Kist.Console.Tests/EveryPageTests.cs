using Microsoft.Playwright;

namespace Kist.Console.Tests;

/// <summary>What holds for every page: nothing foreign, nothing hostile, nothing that some cannot read or reach.</summary>
public sealed class EveryPageTests(ConsoleSite site)
{
    private static readonly string[] Pages = ["attestations", "policies", "references", "secrets", "audit", "explain", "proposals", "broker"];

    // Text whose contrast with what is behind it is below WCAG's 4.5 (3 for large text).
    private const string PaleText = """
        () => {
          const parse = (c) => (c.match(/[\d.]+/g) ?? []).map(Number);
          const luminance = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
          const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return parse(getComputedStyle(document.body).backgroundColor); };
          const pale = [];
          for (const e of document.querySelectorAll('body *')) {
            if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
            const style = getComputedStyle(e);
            const [a, b] = [luminance(parse(style.color)), luminance(behind(e))].sort((x, y) => y - x);
            const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
            if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5)) pale.push(`${e.tagName} ${e.textContent.slice(0, 40)} ${style.color}`);
          }
          return pale;
        }
        """;

    private const string Nameless = """
        () => [...document.querySelectorAll('button, a, input, select, textarea')].filter((e) => e.checkVisibility()
          && !(e.getAttribute('aria-label') || e.textContent.trim() || [...(e.labels ?? [])].some((l) => l.textContent.trim()))).map((e) => e.outerHTML)
        """;

    public static TheoryData<string, int> Looks => new() { { "light", 1360 }, { "dark", 1360 }, { "light", 390 }, { "dark", 390 } };

    [Theory]
    [MemberData(nameof(Looks))]
    public async Task EveryPage_IsReadableReachableAndAtHome(string scheme, int width)
    {
        var page = await site.OpenAsync(scheme == "dark" ? ColorScheme.Dark : ColorScheme.Light, width);
        var problems = new List<string>();
        page.Console += (_, m) =>
        {
            if (m.Type is "error" or "warning")
                problems.Add($"console: {m.Text}");
        };
        page.PageError += (_, e) => problems.Add($"error: {e}");
        page.Request += (_, r) =>
        {
            if (!r.Url.StartsWith(new Uri(site.Address).GetLeftPart(UriPartial.Authority), StringComparison.Ordinal))
                problems.Add($"foreign request: {r.Url}");
        };
        await page.ReloadAsync();
        await CheckAsync(page, "sign-in", problems);
        await page.FillAsync("#token", site.AdminToken);
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForSelectorAsync("nav a[aria-current]");
        foreach (var name in Pages)
        {
            await page.EvaluateAsync("h => { location.hash = h; }", name);
            await page.WaitForSelectorAsync($"nav a[aria-current][href='#{name}']");
            await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
            foreach (var summary in await page.Locator("main summary").AllAsync())
                await summary.ClickAsync();
            await CheckAsync(page, name, problems);
        }

        Assert.Empty(problems);
    }

    [Fact]
    public async Task HostileStrings_AreShownAsText()
    {
        var page = await site.SignInAsync();
        foreach (var (name, shows) in new[] { ("references", true), ("audit", true), ("broker", true), ("attestations", false) })
        {
            await page.EvaluateAsync("h => { location.hash = h; }", name);
            await page.WaitForSelectorAsync($"nav a[aria-current][href='#{name}']");
            await page.WaitForSelectorAsync("main table");
            if (shows)
                await Assertions.Expect(page.Locator("main")).ToContainTextAsync(ConsoleSite.Hostile);
        }

        foreach (var explain in await page.Locator("main button:has-text('Explain')").AllAsync())
            await explain.ClickAsync();
        Assert.Null(await page.EvaluateAsync<int?>("window.hacked ?? null"));
        Assert.Equal(0, await page.Locator("main img, main script").CountAsync());
    }

    [Fact]
    public async Task Keyboard_ReachesContentNavigationAndActions()
    {
        var page = await site.SignInAsync();
        await page.Locator("body").PressAsync("Tab");
        var reached = new List<string>();
        for (var i = 0; i < 24; i++)
        {
            reached.Add(await page.EvaluateAsync<string>("(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()"));
            // After the last one the focus leaves the page for the browser's own controls.
            if (await page.EvaluateAsync<bool>("document.activeElement !== document.body"))
                Assert.NotEqual("none", await page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle"));
            await page.Keyboard.PressAsync("Tab");
        }

        Assert.Contains(reached, r => r.StartsWith("Explain the attestation", StringComparison.Ordinal));
        await page.FocusAsync("nav a[href='#policies']");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForSelectorAsync("nav a[aria-current][href='#policies']");
        await page.FocusAsync("button[aria-label='Open resource policy for all secrets']");
        await page.Keyboard.PressAsync("Enter");
        Assert.Equal("policy", await page.EvaluateAsync<string>("document.activeElement.id"));
    }

    private static async Task CheckAsync(IPage page, string name, List<string> problems)
    {
        problems.AddRange((await page.EvaluateAsync<string[]>(PaleText)).Select(p => $"{name}: pale: {p}"));
        problems.AddRange((await page.EvaluateAsync<string[]>(Nameless)).Select(p => $"{name}: without a name: {p}"));
        var overflow = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth");
        if (overflow > 0)
            problems.Add($"{name}: {overflow} pixels wider than the window");
        if (await page.Locator("h2").CountAsync() == 0 || await page.Locator("main").CountAsync() != 1)
            problems.Add($"{name}: no heading");
    }
}
