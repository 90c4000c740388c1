using System.Net;

namespace Kist.Host.Tests.Services;

public sealed class RegistryProcessTests : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private readonly TemporaryState _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public async Task Start_ThenDispose_AnswersAndIsGone()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/docker-registry"), "docker-registry is not installed");
        var port = ServicePorts.LoadOrChoose(_temporary.State).Registry;
        using var http = new HttpClient();
        var address = new Uri($"http://127.0.0.1:{port}/v2/");
        await using (await RegistryProcess.StartAsync(_temporary.State, port, Cancel))
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(address, Cancel)).StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(address, Cancel));
    }

    [Fact]
    public void Ports_OnceChosen_AreKept() =>
        Assert.Equal(ServicePorts.LoadOrChoose(_temporary.State), ServicePorts.LoadOrChoose(_temporary.State));

    [Fact]
    public void Endpoints_NothingServes_NamesTheRemedy()
    {
        Assert.Null(ServiceEndpoints.TryRead(_temporary.State));
        var error = Assert.Throws<Formats.OperationFailedException>(() => ServiceEndpoints.Require(_temporary.State));
        Assert.Equal("start them: kist up", error.Hint);
    }
}
