using Kist.KeyBroker.Routes;

namespace Kist.KeyBroker.Tests;

public sealed class ConsoleTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Files_AreServedUnderAStrictPolicy()
    {
        await using var broker = await TestBroker.StartAsync();
        Assert.Contains("", ConsoleRoutes.Names);
        foreach (var name in ConsoleRoutes.Names)
        {
            using var response = await broker.SendAsync(HttpMethod.Get, $"/console/{name}");
            Assert.Equal(200, (int)response.StatusCode);
            Assert.Equal(
                Path.GetExtension(name) switch { "" => "text/html", ".js" => "text/javascript", ".css" => "text/css", _ => "image/svg+xml" },
                response.Content.Headers.ContentType!.MediaType);
            var policy = response.Headers.GetValues("Content-Security-Policy").Single();
            Assert.StartsWith("default-src 'none'; script-src 'self'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            var text = (await response.Content.ReadAsStringAsync(Token)).Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
            Assert.DoesNotContain("innerHTML", text, StringComparison.Ordinal);
            Assert.DoesNotContain("http://", text, StringComparison.Ordinal);
            Assert.DoesNotContain("https://", text, StringComparison.Ordinal);
            Assert.DoesNotContain("style=", text, StringComparison.Ordinal);
            Assert.DoesNotMatch("<script(?![^>]*src=)|\\son\\w+=\"", text);
        }
    }

    [Theory]
    [InlineData("/console/../admin.token")]
    [InlineData("/console/..%2fadmin.token")]
    [InlineData("/console/index.html")]
    [InlineData("/console")]
    public async Task AnotherPath_IsNotServed(string path)
    {
        await using var broker = await TestBroker.StartAsync();
        using var response = await broker.SendAsync(HttpMethod.Get, path);
        Assert.Equal(404, (int)response.StatusCode);
    }
}
