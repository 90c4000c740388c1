using System.Text;
using Kist.Formats;

namespace Kist.Oci.Tests;

/// <summary>Proxies: whom they are used for, and that a registry is really asked through one.</summary>
public sealed class RegistryProxyTests
{
    [Theory]
    [InlineData("https://registry.example.com/", "http://secure:1/")]
    [InlineData("http://registry.example.com/", "http://plain:2/")]
    [InlineData("https://a.internal/", null)]
    [InlineData("https://internal/", null)]
    [InlineData("https://notinternal/", "http://secure:1/")]
    [InlineData("https://10.1.2.3/", null)]
    [InlineData("https://11.1.2.3/", "http://secure:1/")]
    [InlineData("https://host.example.net:8443/", null)]
    [InlineData("https://host.example.net/", "http://secure:1/")]
    [InlineData("https://127.0.0.1:5000/", null)]
    public void Proxy_ForADestination_IsAsNoProxySays(string destination, string? expected)
    {
        var proxy = new RegistryProxy("http://secure:1", "plain:2", ".internal, 10.0.0.0/8,host.example.net:8443");
        Assert.Equal(expected, proxy.GetProxy(new Uri(destination))?.ToString());
    }

    [Theory]
    [InlineData("socks5://a:1")]
    [InlineData("http://")]
    public void Proxy_OfAnotherKind_IsMalformed(string text) => Assert.Throws<MalformedDataException>(() => new RegistryProxy(text, null, null));

    [Fact]
    public async Task Request_ThroughAProxy_NamesTheRegistryToIt()
    {
        await using var proxy = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(stream, "404 Not Found\r\nContent-Length: 0"));
        using var repository = new RegistryRepository(
            ImageReference.Parse("registry.example.com/app:1"),
            new RegistryOptions { PlainHttp = true, MaxAttempts = 1, Proxy = new RegistryProxy(null, $"http://user:pass@{proxy.Host}", null) });
        await Assert.ThrowsAsync<RegistryException>(() => repository.ResolveAsync(TestContext.Current.CancellationToken));
        Assert.Equal("http://registry.example.com/v2/app/manifests/1", proxy.Requests[0].Path);
    }

    [Fact]
    public async Task RetryAfter_ADate_IsWaitedForWithinTheLimit()
    {
        var answers = 0;
        await using var registry = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(
            stream, answers++ == 0 ? $"429 Too Many Requests\r\nRetry-After: {TimeProvider.System.GetUtcNow().AddHours(1):R}\r\nContent-Length: 0" : "200 OK\r\nContent-Length: 2\r\nContent-Type: application/json", Encoding.ASCII.GetBytes(answers == 1 ? "" : "{}")));
        using var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/app:1"), new RegistryOptions { MaxRetryDelay = TimeSpan.FromMilliseconds(20) });
        Assert.Empty(await repository.ListTagsAsync(TestContext.Current.CancellationToken));
        Assert.Equal(2, answers);
    }
}
