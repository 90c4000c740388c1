namespace Kist.KeyBroker.Tests;

public sealed class ConsoleTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/console/", "text/html")]
    [InlineData("/console/console.js", "text/javascript")]
    [InlineData("/console/console.css", "text/css")]
    public async Task File_IsServedUnderAStrictPolicy(string path, string type)
    {
        await using var broker = await TestBroker.StartAsync();
        using var response = await broker.SendAsync(HttpMethod.Get, path);
        Assert.Equal((200, type), ((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'; script-src 'self'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.DoesNotContain("innerHTML", text, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", text, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", text, StringComparison.Ordinal);
        Assert.DoesNotContain("style=", text, StringComparison.Ordinal);
        Assert.DoesNotMatch("<script(?![^>]*src=)|\\son\\w+=\"", text);
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
