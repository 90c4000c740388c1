using System.Text.Json;
using Kist.KeyBroker.Hosting;

namespace Kist.KeyBroker.Tests;

public sealed class OpenApiTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Document_NamesEveryRoute_AndEveryRouteExists()
    {
        await using var broker = await TestBroker.StartAsync();
        using var response = await broker.SendAsync(HttpMethod.Get, "/openapi.json");
        using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(Token));
        var paths = document.RootElement.GetProperty("paths").EnumerateObject().ToList();
        Assert.All(BrokerApplication.RouteNames, route => Assert.Contains(paths, p => p.Name == route || p.Name.StartsWith(route + "/", StringComparison.Ordinal)));
        foreach (var path in paths)
        {
            foreach (var method in path.Value.EnumerateObject().Where(m => m.Name != "parameters"))
            {
                var url = path.Name.Replace("{kind}", "resource", StringComparison.Ordinal).Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal);
                using var answer = await broker.SendAsync(new HttpMethod(method.Name.ToUpperInvariant()), url, method.Name is "post" or "put" ? [] : null);
                var code = answer.IsSuccessStatusCode ? "ok" : (await TestBroker.ErrorOf(answer)).Code;
                Assert.False(code is "path.unknown" or "plugin.unknown" or "request.method", $"{method.Name} {path.Name}: {code}");
            }
        }
    }

    [Fact]
    public async Task Document_References_AllResolve()
    {
        await using var broker = await TestBroker.StartAsync();
        using var response = await broker.SendAsync(HttpMethod.Get, "/openapi.json");
        var text = await response.Content.ReadAsStringAsync(Token);
        using var document = JsonDocument.Parse(text);
        var components = document.RootElement.GetProperty("components");
        foreach (var reference in System.Text.RegularExpressions.Regex.Matches(text, "\"#/components/(\\w+)/(\\w+)\"").Cast<System.Text.RegularExpressions.Match>())
            Assert.True(components.GetProperty(reference.Groups[1].Value).TryGetProperty(reference.Groups[2].Value, out _), reference.Value);
    }
}
