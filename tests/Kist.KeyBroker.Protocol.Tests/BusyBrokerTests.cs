using System.Net;
using System.Net.Http.Headers;

namespace Kist.KeyBroker.Protocol.Tests;

/// <summary>A broker that says that it is busy is asked again, later and not for ever.</summary>
public sealed class BusyBrokerTests : IDisposable
{
    private readonly FakeBroker _broker = new();
    private readonly RecordingTime _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _broker.Dispose();

    [Theory]
    [InlineData("/kbs/v0/auth", HttpStatusCode.TooManyRequests)]
    [InlineData("/kbs/v0/auth", HttpStatusCode.ServiceUnavailable)]
    [InlineData("/kbs/v0/resource/a/b/c", HttpStatusCode.TooManyRequests)]
    [InlineData("/kbs/v0/resource/a/b/c", HttpStatusCode.ServiceUnavailable)]
    [InlineData("/kbs/v0/attest", HttpStatusCode.TooManyRequests)]
    public async Task GetResource_BusyTwice_AsksTheSameAgain(string path, HttpStatusCode status)
    {
        BusyAt(path, status, times: 2, retryAfter: null);
        using var client = Client();
        (await client.GetResourceAsync("a/b/c", Token)).Dispose();
        Assert.Equal(3, _broker.Requests.Count(r => r.EndsWith(path, StringComparison.Ordinal)));
        Assert.Equal(5, _broker.Requests.Count);
        Assert.Equal(2, _time.Waits.Count);
    }

    [Fact]
    public async Task GetResource_UnavailableAtAttest_BeginsANewHandshake()
    {
        BusyAt("/kbs/v0/attest", HttpStatusCode.ServiceUnavailable, times: 1, retryAfter: null);
        using var client = Client();
        (await client.GetResourceAsync("a/b/c", Token)).Dispose();
        Assert.Equal(
            ["POST /kbs/v0/auth", "POST /kbs/v0/attest", "POST /kbs/v0/auth", "POST /kbs/v0/attest", "GET /kbs/v0/resource/a/b/c"], _broker.Requests);
        Assert.NotEqual(_broker.Attestations[0].RuntimeData.TeePublicKey.GetRawText(), _broker.Attestations[1].RuntimeData.TeePublicKey.GetRawText());
    }

    [Fact]
    public async Task GetResource_RetryAfter_IsWaitedForAtLeast()
    {
        BusyAt("/kbs/v0/auth", HttpStatusCode.TooManyRequests, times: 3, TimeSpan.FromSeconds(7));
        using var client = Client();
        (await client.GetResourceAsync("a/b/c", Token)).Dispose();
        Assert.Equal(3, _time.Waits.Count);
        Assert.All(_time.Waits, wait => Assert.InRange(wait, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(9)));
    }

    [Fact]
    public async Task GetResource_AlwaysBusy_GivesUpAfterItsRetries()
    {
        BusyAt("/kbs/v0/auth", HttpStatusCode.TooManyRequests, int.MaxValue, retryAfter: null);
        using var client = Client();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => client.GetResourceAsync("a/b/c", Token));
        Assert.Equal((KeyBrokerStep.RequestChallenge, 429, true), (error.FailedStep, error.Status, error.IsTransient));
        Assert.Equal(7, _broker.Requests.Count);
        // Each wait is below a limit that doubles.
        Assert.All(_time.Waits.Index(), w => Assert.InRange(w.Item, TimeSpan.Zero, TimeSpan.FromMilliseconds(250 << w.Index)));
    }

    [Fact]
    public async Task GetResource_LongerThanItWaits_GivesUpAtOnce()
    {
        BusyAt("/kbs/v0/auth", HttpStatusCode.ServiceUnavailable, times: 1, TimeSpan.FromHours(1));
        using var client = Client();
        await Assert.ThrowsAsync<KeyBrokerException>(() => client.GetResourceAsync("a/b/c", Token));
        Assert.Single(_broker.Requests);
        Assert.Empty(_time.Waits);
    }

    private void BusyAt(string path, HttpStatusCode status, int times, TimeSpan? retryAfter) => _broker.Override = request =>
    {
        if (request.RequestUri!.AbsolutePath != path || times-- <= 0)
            return null;
        var response = FakeBroker.Error(status, code: "broker.busy");
        response.Headers.RetryAfter = retryAfter is { } delay ? new RetryConditionHeaderValue(delay) : null;
        return response;
    };

    private KeyBrokerClient Client() => new(new KeyBrokerClientOptions { Endpoint = new Uri("https://127.0.0.1/"), Time = _time }, new FakeTee(), _broker);

    /// <summary>A clock on which every wait ends at once, and is remembered.</summary>
    private sealed class RecordingTime : TimeProvider
    {
        public List<TimeSpan> Waits { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waits.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
