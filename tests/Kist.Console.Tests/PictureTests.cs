using Microsoft.Playwright;

namespace Kist.Console.Tests;

/// <summary>Pictures of every page, for people to look at: where KIST_CONSOLE_PICTURES names a folder.</summary>
public sealed class PictureTests(ConsoleSite site)
{
    [Theory]
    [MemberData(nameof(EveryPageTests.Looks), MemberType = typeof(EveryPageTests))]
    public async Task Pictures_OfEveryPage(string scheme, int width)
    {
        var folder = Environment.GetEnvironmentVariable("KIST_CONSOLE_PICTURES");
        Assert.SkipWhen(folder is null, "KIST_CONSOLE_PICTURES names no folder");
        var colors = scheme == "dark" ? ColorScheme.Dark : ColorScheme.Light;
        var outside = await site.OpenAsync(colors, width);
        await outside.WaitForSelectorAsync("#providers a");
        await outside.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder!, $"sign-in-{scheme}-{width}.png"), FullPage = true });
        var page = await site.SignInAsync(colors, width);
        foreach (var name in EveryPageTests.Pages)
        {
            await page.EvaluateAsync("h => { location.hash = h; }", name);
            await page.WaitForSelectorAsync($"nav a[aria-current][href='#{name}']");
            await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
            var picture = await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder!, $"{name}-{scheme}-{width}.png"), FullPage = true });
            Assert.NotEmpty(picture);
        }
    }
}
