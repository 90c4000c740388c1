using System.Net;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.Administration;

namespace Kist.KeyBroker.Tests;

/// <summary>Signing in to the console by redirect, with a provider of the test's own.</summary>
public sealed class ConsoleSignInTests : IDisposable
{
    private const string Session = "__Host-kist-console";

    private readonly Microsoft.Extensions.Time.Testing.FakeTimeProvider _time = new(TestBroker.Start);
    private readonly FakeOpenId _provider;
    private readonly HttpClient _browser = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    public ConsoleSignInTests() => _provider = new FakeOpenId(_time);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _browser.Dispose();
        _provider.Dispose();
    }

    private Task<TestBroker> StartAsync(string more = "") => TestBroker.StartAsync(o => o with { IdentityProviders = IdentityProviders.Parse(Encoding.UTF8.GetBytes(_provider.Providers(more))) });

    [Fact]
    public async Task SignIn_ByRedirect_GivesASessionThatOnlyTheConsoleCanUse()
    {
        await using var broker = await StartAsync();
        using (var session = await SendAsync(broker, HttpMethod.Get, "/console/session"))
            Assert.Equal("""{"signed_in":false,"tenant":"","providers":[{"id":0,"label":"Example"}]}""", await session.Content.ReadAsStringAsync(Token));
        var (pending, address) = await BeginAsync(broker);
        Assert.All(new[] { "secure", "httponly", "samesite=lax", "path=/" }, a => Assert.Contains(a, pending.Full, StringComparison.OrdinalIgnoreCase));
        using var finished = await SendAsync(broker, HttpMethod.Get, await ApproveAsync(address), pending.Pair);
        Assert.Equal((HttpStatusCode.SeeOther, "/console/"), (finished.StatusCode, finished.Headers.Location!.OriginalString));
        var cookie = Cookie(finished, Session);
        Assert.All(new[] { "secure", "httponly", "samesite=strict", "path=/" }, a => Assert.Contains(a, cookie.Full, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("expires", cookie.Full, StringComparison.OrdinalIgnoreCase);

        using (var status = await SendAsync(broker, HttpMethod.Get, "/kist/v1/status", cookie.Pair, own: true))
        using (var document = JsonDocument.Parse(await status.Content.ReadAsByteArrayAsync(Token)))
            Assert.Equal($"alice@{_provider.Issuer}", document.RootElement.GetProperty("administrator").GetString());
        // What another site can make a browser send: the cookie at most, and never the header.
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(broker, HttpMethod.Get, "/kist/v1/status", cookie.Pair));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(broker, HttpMethod.Get, "/kist/v1/status", cookie.Pair, own: true, site: "cross-site"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(broker, HttpMethod.Post, "/console/sign-out", cookie.Pair));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(broker, HttpMethod.Post, "/kbs/v0/resource/a/b/c", cookie.Pair));
        using var ended = await SendAsync(broker, HttpMethod.Post, "/console/sign-out", cookie.Pair, own: true);
        Assert.Equal((HttpStatusCode.OK, $"{Session}="), (ended.StatusCode, Cookie(ended, Session).Pair));
        // The session ends with the token, whatever the browser keeps.
        broker.Time.Advance(TimeSpan.FromMinutes(12));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(broker, HttpMethod.Get, "/kist/v1/status", cookie.Pair, own: true));
    }

    [Fact]
    public async Task SignIn_BegunElsewhereOrTwice_IsRefused()
    {
        await using var broker = await StartAsync();
        var (pending, address) = await BeginAsync(broker);
        var (other, _) = await BeginAsync(broker);
        var back = await ApproveAsync(address);
        Assert.Equal("/console/?failed=began-elsewhere", await FinishAsync(broker, back, null));
        Assert.Equal("/console/?failed=began-elsewhere", await FinishAsync(broker, back, other.Pair));
        Assert.Equal("/console/?failed=began-elsewhere", await FinishAsync(broker, back.Replace("state=", "state=x", StringComparison.Ordinal), pending.Pair));
        Assert.Equal("/console/?failed=refused", await FinishAsync(broker, "/console/signed-in?error=access_denied&" + back[back.IndexOf("state=", StringComparison.Ordinal)..], pending.Pair));
        Assert.Equal("/console/", await FinishAsync(broker, back, pending.Pair));
        // The provider gives a token for a code once.
        Assert.Null(await FinishAsync(broker, back, pending.Pair));
    }

    [Fact]
    public async Task SignIn_OfSomebodyWithoutARole_OrWithAnotherNonce_IsRefused()
    {
        await using var broker = await StartAsync();
        _provider.Groups = "[\"others\"]";
        Assert.Equal("/console/?failed=nobody", await WholeAsync(broker));
        _provider.Groups = "[\"ops\"]";
        _provider.WrongNonce = "another's";
        Assert.Equal("/console/?failed=nobody", await WholeAsync(broker));
        _provider.WrongNonce = null;
        _provider.Groups = $"[\"ops\",\"{new string('x', 5000)}\"]";
        Assert.Equal("/console/?failed=too-long", await WholeAsync(broker));
    }

    [Fact]
    public async Task SignIn_OfAClientWithASecret_PresentsIt()
    {
        using var folder = new Testing.TemporaryDirectory();
        File.WriteAllText(folder["secret"], "s3cret\n");
        File.SetUnixFileMode(folder["secret"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _provider.Secret = "s3cret";
        await using var broker = await StartAsync($", \"client_secret_file\": \"{folder["secret"]}\"");
        Assert.Equal("/console/", await WholeAsync(broker));
    }

    [Theory]
    [InlineData("\"scope\": \"email\", \"client_id\": \"x\"")]
    [InlineData("\"scope\": \"openid\"")]
    [InlineData("\"client_id\": \"x\", \"other\": 1")]
    public void Parse_AConsoleThatIsNotRight_Throws(string console) => Assert.Throws<MalformedDataException>(() => IdentityProviders.Parse(Encoding.UTF8.GetBytes(
        "{\"providers\":[{\"issuer\":\"https://a\",\"audience\":\"k\",\"console\":{" + console + "},\"roles\":[{\"value\":\"a\",\"roles\":\"auditor\"}]}]}")));

    private async Task<string?> WholeAsync(TestBroker broker)
    {
        var (pending, address) = await BeginAsync(broker);
        return await FinishAsync(broker, await ApproveAsync(address), pending.Pair);
    }

    private static async Task<((string Pair, string Full) Pending, string Address)> BeginAsync(TestBroker broker)
    {
        using var begun = await SendAsync(broker, HttpMethod.Get, "/console/sign-in?provider=0");
        Assert.Equal(HttpStatusCode.SeeOther, begun.StatusCode);
        return (Cookie(begun, "__Host-kist-sign-in"), begun.Headers.Location!.AbsoluteUri);
    }

    /// <summary>The provider's side: where its page leads back to.</summary>
    private async Task<string> ApproveAsync(string address)
    {
        using var approved = await _browser.GetAsync(address, Token);
        Assert.Equal(HttpStatusCode.Found, approved.StatusCode);
        return approved.Headers.Location!.PathAndQuery;
    }

    private static async Task<string?> FinishAsync(TestBroker broker, string path, string? cookie)
    {
        using var response = await SendAsync(broker, HttpMethod.Get, path, cookie);
        return response.Headers.Location?.OriginalString;
    }

    private static async Task<HttpStatusCode> StatusAsync(TestBroker broker, HttpMethod method, string path, string cookie, bool own = false, string? site = null)
    {
        using var response = await SendAsync(broker, method, path, cookie, own, site);
        return response.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(TestBroker broker, HttpMethod method, string path, string? cookie = null, bool own = false, string? site = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (cookie is not null)
            request.Headers.Add("Cookie", cookie);
        if (own)
            request.Headers.Add("X-Kist-Console", "1");
        if (site is not null)
            request.Headers.Add("Sec-Fetch-Site", site);
        return await broker.Http.SendAsync(request, Token);
    }

    private static (string Pair, string Full) Cookie(HttpResponseMessage response, string name)
    {
        var full = response.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith(name + "=", StringComparison.Ordinal));
        return (full.Split(';')[0], full);
    }
}
