using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.KeyBroker;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Tests;
using Kist.Testing;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Kist.Console.Tests.ConsoleSite))]

namespace Kist.Console.Tests;

/// <summary>A broker with something in it, and Debian's Chromium to look at its console with.</summary>
public sealed class ConsoleSite : IAsyncLifetime
{
    /// <summary>What a stranger would like a browser to run.</summary>
    public const string Hostile = "<img/src=x/onerror=window.hacked=1><script>window.hacked=1</script>";

    private const string Browser = "/usr/bin/chromium";

    private readonly TemporaryDirectory _folder = new();
    private FakeOpenId? _provider;
    private KeyBrokerServer? _server;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public string Address => $"{_server!.Endpoint}console/";

    /// <summary>Whom people can sign in with; one test at a time changes who they are there.</summary>
    internal FakeOpenId Provider => _provider!;

    public string AdminToken => File.ReadAllText(_server!.AdminTokenFile).Trim();

    /// <summary>The administrator's client at one tenant's address.</summary>
    public KeyBrokerAdminClient AdminOf(string tenant) => new(new Uri(_server!.Endpoint, $"tenants/{tenant}"), _server.CertificatePem, AdminToken);

    public KeyBrokerAdminClient Admin() => new(_server!.Endpoint, _server.CertificatePem, AdminToken);

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Browser))
            return;
        _provider = new FakeOpenId(TimeProvider.System);
        var providers = IdentityProviders.Parse(Encoding.UTF8.GetBytes(_provider.Providers()));
        _server = await KeyBrokerServer.StartAsync(new KeyBrokerOptions { StateDirectory = _folder["state"], AllowSimulated = true, IdentityProviders = providers }, CancellationToken.None);
        await FillAsync();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Browser, Args = ["--no-sandbox", "--disable-gpu"] });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
        _provider?.Dispose();
        _folder.Dispose();
    }

    /// <summary>A new page at the console, not signed in; the running test is skipped where there is no Chromium.</summary>
    public async Task<IPage> OpenAsync(ColorScheme scheme = ColorScheme.Light, int width = 1360, int height = 900)
    {
        Assert.SkipWhen(_browser is null, $"{Browser} is not installed");
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            IgnoreHTTPSErrors = true,
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = height },
        });
        context.SetDefaultTimeout(20_000);
        var page = await context.NewPageAsync();
        await page.GotoAsync(Address);
        return page;
    }

    /// <summary>A new page with an administrator signed in.</summary>
    public async Task<IPage> SignInAsync(ColorScheme scheme = ColorScheme.Light, int width = 1360, int height = 900, string? token = null)
    {
        var page = await OpenAsync(scheme, width, height);
        await page.FillAsync("#token", token ?? AdminToken);
        await page.ClickAsync("#sign-in button");
        await page.WaitForSelectorAsync("nav a[aria-current]");
        return page;
    }

    /// <summary>One guest attests, and reads the secret if it can.</summary>
    public async Task AttestAsync(bool genuine = true)
    {
        using var guest = new KeyBrokerClient(
            new KeyBrokerClientOptions { Endpoint = _server!.Endpoint, CertificatePem = _server.CertificatePem }, new SampleTee(genuine));
        try
        {
            (await guest.GetResourceAsync("web/key/1", CancellationToken.None)).Dispose();
        }
        catch (KeyBrokerException) when (!genuine)
        {
            // As it should be.
        }
    }

    private async Task FillAsync()
    {
        using var admin = Admin();
        var set = new ReferenceSet
        {
            Name = "sample/1",
            Tee = "sample",
            Source = $"a source {Hostile}",
            Expires = TimeProvider.System.GetUtcNow().AddDays(30),
            Claims = new Dictionary<string, IReadOnlyList<string>> { ["launch_digest"] = ["abcde"] },
        };
        await admin.RegisterReferenceSetAsync(set, CancellationToken.None);
        await admin.RegisterReferenceSetAsync(set with { Name = $"set/{Hostile}" }, CancellationToken.None);
        await admin.RegisterReferenceValuesAsync(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["value"] = Hostile }), CancellationToken.None);
        await admin.PutResourceAsync(ResourceUri.Parse("web/key/1"), RandomNumberGenerator.GetBytes(32), CancellationToken.None);
        await admin.PutResourceAsync(ResourceUri.Parse("web/key/1"), RandomNumberGenerator.GetBytes(32), CancellationToken.None);
        await admin.PutResourceAsync(ResourceUri.Parse("web/shared/1"), RandomNumberGenerator.GetBytes(32), CancellationToken.None);
        await admin.PutResourceAsync(ResourceUri.Parse("web/shared/1"), RandomNumberGenerator.GetBytes(32), CancellationToken.None);
        await admin.SetResourceTermsAsync(ResourceUri.Parse("web/key/1"), new ResourceTermsDocument { MaxReads = 1000 }, CancellationToken.None);
        await admin.CreateAdminTokenAsync(new CreateAdminTokenRequest { Name = Hostile, Roles = "auditor" }, CancellationToken.None);
        await admin.RevokeAsync(new RevocationDocument { Kind = "token", Value = "0", Reason = $"because {Hostile}" }, CancellationToken.None);
        await admin.OpenTenantAsync("acme", CancellationToken.None);
        await AttestAsync();
        await AttestAsync(genuine: false);
    }

    private sealed class SampleTee(bool genuine) : IGuestEvidenceSource
    {
        public string Tee => "sample";

        public Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken) =>
            Task.FromResult<ReadOnlyMemory<byte>>(JsonSerializer.SerializeToUtf8Bytes(
                new { svn = Hostile, report_data = Convert.ToBase64String(genuine ? reportData.Span : new byte[48]) }));
    }
}
