using Microsoft.Playwright;

namespace Kist.Console.Tests;

/// <summary>What holds for every page: nothing foreign, nothing hostile, nothing that some cannot read or reach.</summary>
public sealed class EveryPageTests(ConsoleSite site)
{
    internal static readonly string[] Pages = ["attestations", "policies", "references", "secrets", "audit", "explain", "proposals", "broker"];

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

    // What assistive technology stumbles over, of the rules that axe-core has: identifiers that come twice, references to nothing,
    // headings that skip a level, tables without heads, images without a word, more than one main part, a page without language.
    private const string Broken = """
        () => {
          const found = [];
          const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
          for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) found.push(`id ${id} comes twice`);
          for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for']) {
            for (const e of document.querySelectorAll(`[${name}]`)) {
              for (const id of e.getAttribute(name).split(/\s+/)) if (!document.getElementById(id)) found.push(`${name} names ${id}, which is not there`);
            }
          }
          let level = 0;
          for (const h of [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter((e) => e.checkVisibility())) {
            const own = Number(h.tagName[1]);
            if (own > level + 1) found.push(`${h.tagName} "${h.textContent.slice(0, 30)}" follows level ${level}`);
            level = own;
          }
          for (const t of document.querySelectorAll('table')) {
            if (!t.caption || !t.querySelector('th')) found.push('a table without a caption or heads');
          }
          for (const i of document.querySelectorAll('img:not([alt])')) found.push(`${i.src} has no text`);
          for (const r of document.querySelectorAll('[role=region], section[aria-label]')) if (!(r.getAttribute('aria-label') || r.getAttribute('aria-labelledby'))) found.push('a region without a name');
          for (const l of document.querySelectorAll('ul, ol')) if ([...l.children].some((c) => c.tagName !== 'LI')) found.push('a list with something else than items in it');
          for (const l of document.querySelectorAll('dl')) if ([...l.children].some((c) => !['DT', 'DD', 'DIV'].includes(c.tagName))) found.push('a list of facts with something else in it');
          for (const e of document.querySelectorAll('[tabindex]')) if (Number(e.getAttribute('tabindex')) > 0) found.push('an order of focus of its own');
          if (!document.documentElement.lang) found.push('no language');
          if (!document.title) found.push('no title');
          return found;
        }
        """;

    // What a finger has to hit: WCAG 2.2 asks for 24 pixels, or as much room around it; links within text are exempt.
    private const string Small = """
        () => [...document.querySelectorAll('button, input:not([type=checkbox]):not([type=file]), select, nav a, a.button')].filter((e) => e.checkVisibility())
          .filter((e) => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.height < 24 || r.width < 24); }).map((e) => `${e.tagName} ${e.textContent.slice(0, 30)}`)
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
        problems.AddRange((await page.EvaluateAsync<string[]>(Broken)).Select(p => $"{name}: {p}"));
        problems.AddRange((await page.EvaluateAsync<string[]>(Small)).Select(p => $"{name}: too small to hit: {p}"));
        var overflow = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth");
        if (overflow > 0)
            problems.Add($"{name}: {overflow} pixels wider than the window");
        if (await page.Locator("h2").CountAsync() == 0 || await page.Locator("main").CountAsync() != 1)
            problems.Add($"{name}: no heading");
    }
}
