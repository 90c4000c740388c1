using System.Net.Sockets;
using System.Text;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Oci.Tests;

/// <summary>What a registry can do to whoever pulls from it.</summary>
public sealed class HostileRegistryTests
{
    private static readonly byte[] s_content = Encoding.ASCII.GetBytes("the content of a blob");
    private static readonly Descriptor s_blob = new() { MediaType = MediaTypes.Layer, Digest = Digest.Of(s_content), Size = s_content.Length };
    private static readonly RegistryOptions s_options = new()
    {
        StallTimeout = TimeSpan.FromMilliseconds(300),
        ResponseTimeout = TimeSpan.FromMilliseconds(500),
        MaxAttempts = 2,
        MaxRetryDelay = TimeSpan.FromMilliseconds(10),
    };

    [Fact]
    public async Task Blob_RightContent_IsRead()
    {
        await using var registry = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(stream, $"200 OK\r\nContent-Length: {s_content.Length}", s_content));
        Assert.Equal(s_content, await ReadBlobAsync(registry));
    }

    [Fact]
    public async Task Blob_OtherContent_IsRefused()
    {
        await using var registry = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(stream, "200 OK", new byte[s_content.Length]));
        await Assert.ThrowsAsync<ContentMismatchException>(() => ReadBlobAsync(registry));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(1_000_000_000)]
    public async Task Blob_AnnouncesAnotherLength_IsRefusedAtOnce(long length)
    {
        await using var registry = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(stream, $"200 OK\r\nContent-Length: {length}", s_content));
        var error = await Assert.ThrowsAsync<RegistryException>(() => ReadBlobAsync(registry));
        Assert.Contains("announces", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Blob_EndlessBody_IsCutOff()
    {
        await using var registry = new HostileRegistry(async (_, stream) =>
        {
            await HostileRegistry.WriteAsync(stream, "200 OK", s_content);
            while (true)
                await stream.WriteAsync(new byte[65536]);
        });
        await Assert.ThrowsAnyAsync<OperationFailedException>(() => ReadBlobAsync(registry));
    }

    [Theory]
    [InlineData("206 Partial Content\r\nContent-Range: bytes 4-10/22\r\nContent-Length: 7", "content", true)]
    [InlineData("206 Partial Content\r\nContent-Range: bytes 0-6/22\r\nContent-Length: 7", "the con", false)] // others than asked for
    [InlineData("206 Partial Content\r\nContent-Range: bytes 4-12/22\r\nContent-Length: 9", "content o", false)] // more
    [InlineData("206 Partial Content\r\nContent-Range: bytes 4-6/22\r\nContent-Length: 3", "con", false)] // fewer
    [InlineData("206 Partial Content\r\nContent-Range: bytes 4-10/22", "con", false)] // cut off
    [InlineData("200 OK\r\nContent-Length: 22", "the content of a blob!", true)] // knows no ranges
    [InlineData("200 OK\r\nContent-Length: 7", "content", false)]
    [InlineData("307 Temporary Redirect\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0", "", false)]
    [InlineData("416 Range Not Satisfiable\r\nContent-Length: 0", "", false)]
    public async Task Range_AnyAnswer_IsTheBytesAskedForOrAnError(string head, string body, bool isRead)
    {
        await using var registry = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(stream, head, Encoding.ASCII.GetBytes(body)));
        using var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/a:b"), s_options);
        var buffer = new byte[7];
        var reading = repository.ReadRangeAsync(s_blob with { Size = 22 }, 4, buffer, TestContext.Current.CancellationToken);
        if (!isRead)
        {
            await Assert.ThrowsAnyAsync<OperationFailedException>(() => reading);
            return;
        }

        await reading;
        Assert.Equal("content", Encoding.ASCII.GetString(buffer));
    }

    [Fact]
    public async Task Blob_ConnectionBreaks_GoesOnWithARange()
    {
        await using var registry = new HostileRegistry((request, stream) => request.Headers.TryGetValue("Range", out var range)
            ? HostileRegistry.WriteAsync(stream, $"206 Partial Content\r\nContent-Range: bytes 7-{s_content.Length - 1}/{s_content.Length}\r\nContent-Length: {s_content.Length - 7}", range == $"bytes=7-{s_content.Length - 1}" ? s_content[7..] : [])
            : HostileRegistry.WriteAsync(stream, $"200 OK\r\nContent-Length: {s_content.Length}", s_content[..7]));
        Assert.Equal(s_content, await ReadBlobAsync(registry));
        Assert.Equal(2, registry.Requests.Count);
    }

    [Fact]
    public async Task Blob_Stalls_GivesUpInTime()
    {
        await using var registry = new HostileRegistry(async (_, stream) =>
        {
            await HostileRegistry.WriteAsync(stream, $"200 OK\r\nContent-Length: {s_content.Length}", s_content[..3]);
            await Task.Delay(TimeSpan.FromSeconds(3));
        });
        var error = await Assert.ThrowsAsync<RegistryException>(() => ReadBlobAsync(registry));
        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task Registry_Down_SaysSo()
    {
        string host;
        await using (var registry = new HostileRegistry((_, _) => Task.CompletedTask))
            host = registry.Host;
        using var repository = new RegistryRepository(ImageReference.Parse($"{host}/a:1"), s_options);
        var error = await Assert.ThrowsAsync<RegistryException>(() => repository.ResolveAsync(TestContext.Current.CancellationToken));
        Assert.True(error.IsTransient);
        Assert.NotNull(error.Hint);
    }

    [Fact]
    public async Task Registry_SaysTooManyRequests_IsAskedAgain()
    {
        var asked = 0;
        await using var registry = new HostileRegistry((_, stream) => ++asked == 1
            ? HostileRegistry.WriteAsync(stream, "429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 0")
            : HostileRegistry.WriteAsync(stream, "200 OK", s_content));
        Assert.Equal(s_content, await ReadBlobAsync(registry));
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("https://elsewhere.example/blob")]
    [InlineData("http://user:pw@127.0.0.1/blob")]
    [InlineData("file:///etc/passwd")]
    public async Task Redirect_ToAnotherHost_IsRefused(string location)
    {
        await using var registry = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(stream, $"307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0"));
        var error = await Assert.ThrowsAsync<RegistryException>(() => ReadBlobAsync(registry));
        Assert.Equal("follow redirect", error.Step);
    }

    [Fact]
    public async Task Redirect_InALoop_IsRefused()
    {
        await using var registry = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(stream, "307 Temporary Redirect\r\nLocation: /v2/again\r\nContent-Length: 0"));
        await Assert.ThrowsAsync<RegistryException>(() => ReadBlobAsync(registry));
    }

    [Fact]
    public async Task Redirect_ToATrustedHost_CarriesNoCredentials()
    {
        await using var other = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(stream, "200 OK", s_content));
        await using var registry = new HostileRegistry((request, stream) => request.Headers.ContainsKey("Authorization")
            ? HostileRegistry.WriteAsync(stream, $"307 Temporary Redirect\r\nLocation: http://{other.Host}/blob\r\nContent-Length: 0")
            : HostileRegistry.WriteAsync(stream, "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0"));
        var options = s_options with { TrustedHosts = ["127.0.0.1"], Credentials = new OneCredential() };
        Assert.Equal(s_content, await ReadBlobAsync(registry, options));
        Assert.False(Assert.Single(other.Requests).Headers.ContainsKey("Authorization"));
    }

    [Fact]
    public async Task Token_FromAnotherHost_IsRefusedAndThePasswordStays()
    {
        await using var thief = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(stream, "200 OK", """{"token":"x"}"""u8.ToArray()));
        await using var registry = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(
            stream, $"401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"http://{thief.Host}/token\",service=\"s\"\r\nContent-Length: 0"));
        var error = await Assert.ThrowsAsync<RegistryException>(() => ReadBlobAsync(registry, s_options with { Credentials = new OneCredential() }));
        Assert.Contains("tokens issued by a host that is not trusted", error.Message, StringComparison.Ordinal);
        Assert.Empty(thief.Requests);
    }

    [Fact]
    public async Task Token_FromTheRegistryItself_IsUsed()
    {
        await using var registry = new HostileRegistry((request, stream) =>
        {
            if (request.Path.StartsWith("/token", StringComparison.Ordinal))
            {
                Assert.Equal("/token?service=s&scope=repository%3Aa%3Apull", request.Path);
                return HostileRegistry.WriteAsync(stream, "200 OK", """{"access_token":"t0k","expires_in":300}"""u8.ToArray());
            }

            return request.Headers.GetValueOrDefault("Authorization") == "Bearer t0k"
                ? HostileRegistry.WriteAsync(stream, "200 OK", s_content)
                : HostileRegistry.WriteAsync(stream, $"401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"http://{request.Headers["Host"]}/token\",service=\"s\"\r\nContent-Length: 0");
        });
        Assert.Equal(s_content, await ReadBlobAsync(registry));
    }

    [Fact]
    public async Task Manifest_TooLarge_IsCutOff()
    {
        await using var registry = new HostileRegistry(async (_, stream) =>
        {
            await HostileRegistry.WriteAsync(stream, "200 OK\r\nContent-Type: " + MediaTypes.Manifest);
            for (var i = 0; i < 200; i++)
                await stream.WriteAsync(new byte[65536]);
        });
        using var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/a:1"), s_options);
        await Assert.ThrowsAsync<MalformedDataException>(() => repository.ResolveAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Manifest_OtherDigestThanAsked_IsRefused()
    {
        await using var registry = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(stream, "200 OK", """{"schemaVersion":2}"""u8.ToArray()));
        using var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/a@{s_blob.Digest}"), s_options);
        await Assert.ThrowsAsync<ContentMismatchException>(() => repository.ResolveAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Error_FromTheRegistry_IsShownWithoutControlCharacters()
    {
        await using var registry = new HostileRegistry((_, stream) => HostileRegistry.WriteAsync(
            stream, "404 Not Found", """{"errors":[{"code":"NAME_UNKNOWN","message":"no\u001b[31m such thing"}]}"""u8.ToArray()));
        var error = await Assert.ThrowsAsync<RegistryException>(() => ReadBlobAsync(registry));
        Assert.Contains("NAME_UNKNOWN: no[31m such thing", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', error.Message);
    }

    [Fact]
    public async Task Upload_SentToAnotherHost_IsRefused()
    {
        await using var registry = new HostileRegistry((request, stream) => request.Method == "POST"
            ? HostileRegistry.WriteAsync(stream, "202 Accepted\r\nLocation: http://elsewhere.example/upload\r\nContent-Length: 0")
            : HostileRegistry.WriteAsync(stream, "404 Not Found\r\nContent-Length: 0"));
        using var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/a:1"), s_options);
        await Assert.ThrowsAsync<RegistryException>(() => repository.PushBlobAsync(
            s_blob, _ => Task.FromResult<Stream>(new MemoryStream(s_content)), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("Bearer realm=\"https://a/b\",service=\"c d\"", "bearer", "https://a/b", "c d")]
    [InlineData("bearer realm=\"x\\\"y\" , service=z", "bearer", "x\"y", "z")]
    [InlineData("Basic", "basic", null, null)]
    [InlineData("Digest realm=\"x\"", null, null, null)]
    [InlineData("Bearer realm=\"unterminated", null, null, null)]
    [InlineData("Bearer realm=\"a\",realm=\"b\"", null, null, null)]
    public void Challenge_Header_IsRead(string header, string? scheme, string? realm, string? service)
    {
        var challenge = AuthenticationChallenge.Parse(header);
        Assert.Equal(scheme, challenge?.Scheme);
        Assert.Equal(realm, challenge?.Parameters.GetValueOrDefault("realm"));
        Assert.Equal(service, challenge?.Parameters.GetValueOrDefault("service"));
    }

    [Theory]
    [InlineData("https://registry-1.docker.io/", "https://auth.docker.io/token", true)]
    [InlineData("https://registry-1.docker.io/", "http://auth.docker.io/token", false)]
    [InlineData("https://registry-1.docker.io/", "https://auth.docker.io.evil.example/", false)]
    [InlineData("https://r.example/", "https://r.example:444/", false)]
    [InlineData("https://r.example/", "https://cdn.r.example/", false)]
    [InlineData("https://r.example/", "https://R.example/x", true)]
    public void HostRules_Target_IsJudged(string registry, string target, bool allowed) =>
        Assert.Equal(allowed, HostRules.Allows(new Uri(registry), new Uri(target), []));

    private static async Task<byte[]> ReadBlobAsync(HostileRegistry registry, RegistryOptions? options = null)
    {
        using var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/a:1"), options ?? s_options);
        await using var stream = await repository.OpenBlobAsync(s_blob, TestContext.Current.CancellationToken);
        using var content = new MemoryStream();
        await stream.CopyToAsync(content, TestContext.Current.CancellationToken);
        return content.ToArray();
    }

    private sealed class OneCredential : IRegistryCredentialSource
    {
        public ValueTask<RegistryCredential?> FindAsync(string registry, string repository, CancellationToken cancellationToken) =>
            ValueTask.FromResult<RegistryCredential?>(new RegistryCredential("user", "secret"));
    }
}
