using System.Text.RegularExpressions;
using System.Xml.Linq;
using Kist.Testing;

namespace Kist.Cli.Tests.Architecture;

/// <summary>The house's one-way rules, read from the project files.</summary>
public sealed class DependencyTests
{
    /// <summary>A library, and the only libraries of the house it may refer to.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Kist.Formats"] = [],
        ["Kist.Attestation"] = ["Kist.Formats"],
        ["Kist.Collateral"] = ["Kist.Formats", "Kist.Attestation"],
        ["Kist.Measurement"] = ["Kist.Formats", "Kist.Attestation"],
        ["Kist.Simulator"] = ["Kist.Formats", "Kist.Attestation", "Kist.Measurement"],
        ["Kist.Rego"] = ["Kist.Formats"],
        ["Kist.Linux"] = ["Kist.Formats"],
        ["Kist.Oci"] = ["Kist.Formats", "Kist.Linux"],
        ["Kist.Images"] = ["Kist.Formats", "Kist.Linux", "Kist.Oci", "Kist.KeyBroker.Protocol", "Kist.Ttrpc"],
        ["Kist.KeyBroker.Protocol"] = ["Kist.Formats"],
        ["Kist.KeyBroker"] = ["Kist.Formats", "Kist.Linux", "Kist.Attestation", "Kist.Rego", "Kist.KeyBroker.Protocol"],
        ["Kist.Ttrpc"] = ["Kist.Formats"],
        ["Kist.Pods.Protocol"] = ["Kist.Formats", "Kist.Ttrpc"],
        ["Kist.Pods"] =
            ["Kist.Formats", "Kist.Linux", "Kist.Ttrpc", "Kist.Pods.Protocol", "Kist.Attestation", "Kist.Measurement", "Kist.Simulator"],
        ["Kist.Enclaves"] =
            ["Kist.Formats", "Kist.Linux", "Kist.Attestation", "Kist.Measurement", "Kist.Simulator", "Kist.Oci", "Kist.Images",
             "Kist.KeyBroker.Protocol"],
        ["Kist.Host"] =
            ["Kist.Formats", "Kist.Linux", "Kist.Attestation", "Kist.Measurement", "Kist.Simulator", "Kist.Oci", "Kist.Images",
             "Kist.KeyBroker.Protocol", "Kist.KeyBroker", "Kist.Pods.Protocol", "Kist.Pods"],
        ["Kist.Kubernetes"] =
            ["Kist.Formats", "Kist.Rego", "Kist.Oci", "Kist.Images", "Kist.Pods.Protocol", "Kist.Host"],
        ["Kist.Shim"] = ["Kist.Formats", "Kist.Linux", "Kist.Ttrpc", "Kist.Oci", "Kist.Pods.Protocol", "Kist.Pods", "Kist.Host"],
    };

    /// <summary>What the guest trusts must stay small: the agent may hold nothing of the server's side.</summary>
    private static readonly string[] AllowedInAgent =
        ["Kist.Formats", "Kist.Linux", "Kist.Ttrpc", "Kist.Pods.Protocol", "Kist.KeyBroker.Protocol", "Kist.Oci", "Kist.Images", "Kist.Rego"];

    private static IEnumerable<(string Name, XDocument Project)> Projects() =>
        Directory.EnumerateFiles(Path.Combine(Evidence.RepositoryRoot, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(path => (Path.GetFileNameWithoutExtension(path), XDocument.Load(path)));

    private static string[] References(XDocument project) =>
        [.. project.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension((string)r.Attribute("Include")!))];

    [Fact]
    public void Libraries_ReferOnlyToRoomsBelowThem()
    {
        var seen = 0;
        foreach (var (name, project) in Projects())
        {
            if (!name.StartsWith("Kist.", StringComparison.Ordinal))
                continue;
            Assert.True(Allowed.TryGetValue(name, out var allowed), $"{name} is not in the table of allowed dependencies");
            Assert.Empty(References(project).Except(allowed).Select(r => $"{name} must not refer to {r}"));
            seen++;
        }

        Assert.Equal(Allowed.Count, seen);
    }

    [Fact]
    public void Libraries_DoNotReferToExecutablesOrAspNet()
    {
        foreach (var (name, project) in Projects().Where(p => p.Name.StartsWith("Kist.", StringComparison.Ordinal)))
        {
            Assert.DoesNotContain(References(project), r => char.IsLower(r[0]));
            if (name != "Kist.KeyBroker")
            {
                Assert.DoesNotContain(
                    project.Descendants("FrameworkReference"), f => (string?)f.Attribute("Include") == "Microsoft.AspNetCore.App");
            }
        }
    }

    [Fact]
    public void Agent_RefersOnlyToSmallRooms()
    {
        var agent = Projects().Single(p => p.Name == "kist-agent").Project;
        Assert.Empty(References(agent).Except(AllowedInAgent));
    }

    [Fact]
    public void Libraries_DoNotWriteToTheConsole()
    {
        var offenders = Directory.EnumerateFiles(Path.Combine(Evidence.RepositoryRoot, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => path.Contains("/src/Kist.", StringComparison.Ordinal) && !path.Contains("/obj/", StringComparison.Ordinal))
            .Where(path => Regex.IsMatch(File.ReadAllText(path), @"\bConsole\.(Write|Out|Error|Read|In|Open|Set)"));
        Assert.Empty(offenders);
    }
}
