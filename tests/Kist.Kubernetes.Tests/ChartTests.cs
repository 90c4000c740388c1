using k8s;
using k8s.Models;
using Kist.Testing;

namespace Kist.Kubernetes.Tests;

/// <summary>The chart, rendered, is the API's objects: with its own values, the very ones of the kustomizations.</summary>
public sealed class ChartTests
{
    private static string Deploy => Path.Combine(Evidence.RepositoryRoot, "deploy");

    private static Dictionary<string, string> Objects(string yaml) =>
        KubernetesYaml.LoadAllFromString(yaml, DeployTests.Types, strict: true).ToDictionary(o => $"{o.GetType().Name}/{((IMetadata<V1ObjectMeta>)o).Metadata.Name}", o => KubernetesJson.Serialize(o));

    [Theory]
    [InlineData("runtime", "broker")]
    [InlineData("broker", "runtime")]
    public void Chart_WithItsOwnValues_IsTheKustomization(string part, string other)
    {
        var files = Directory.GetFiles(Path.Combine(Deploy, part), "*.yaml").Where(f => !f.EndsWith("kustomization.yaml", StringComparison.Ordinal));
        var expected = Objects(string.Join("\n---\n", files.Select(File.ReadAllText)));
        var rendered = Objects(new ChartRendering(Path.Combine(Deploy, "chart"), new Dictionary<string, string> { [$".Values.{part}.enabled"] = "true", [$".Values.{other}.enabled"] = "false" }).Render());
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), rendered.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected, e => Assert.Equal(e.Value, rendered[e.Key]));
    }

    [Fact]
    public void Chart_WithOtherValues_PutsThemEverywhere()
    {
        var rendered = Objects(new ChartRendering(Path.Combine(Deploy, "chart"), new Dictionary<string, string>
        {
            [".Values.broker.enabled"] = "true",
            [".Values.broker.namespace"] = "elsewhere-a",
            [".Values.runtime.namespace"] = "elsewhere-b",
            [".Values.broker.port"] = "9443",
            [".Values.image.registry"] = "mirror.example",
        }).Render());
        Assert.DoesNotContain(rendered.Values, o => o.Contains("\"namespace\":\"kist-", StringComparison.Ordinal) || o.Contains("registry.example", StringComparison.Ordinal) || o.Contains("8080", StringComparison.Ordinal));
    }

    [Fact]
    public void Chart_NamesNoSecretsContent()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Deploy, "chart", "templates")))
            Assert.DoesNotContain("kind: Secret", File.ReadAllText(file), StringComparison.Ordinal);
    }
}
