using System.Buffers;
using System.Text.Json;
using Kist.Pods.Protocol;
using Kist.Rego;

namespace Kist.Host.Tests.Policy;

/// <summary>The rules for a sealed image: its configuration stays secret, what the host adds is pinned, old releases and strangers are refused.</summary>
public sealed class SealedPolicyTests
{
    private static readonly ProcessOverrides Wanted = new(null, ["-v"], ["A=b"], "", "1000");

    private static readonly CreateContainerInput Good = new()
    {
        ContainerId = "main",
        ContainerName = "main",
        ImageReference = "registry.example/web",
        ManifestDigest = "sha256:aa",
        ConfigDigest = "sha256:bb",
        Encrypted = true,
        Sealed = new SealedInput(7, "author"),
        Overrides = Wanted,
        Process = new ContainerProcess(["/secret/program", "-v"], ["PATH=/bin", "A=b"], "/secret", "1000"),
        Capabilities = [],
        Hostname = "main",
    };

    private static readonly RegoProgram Program = RegoProgram.Compile("policy.rego", WorkloadPolicy.Write(
    [
        new PinnedContainer
        {
            Name = "main",
            Reference = "registry.example/web",
            ManifestDigest = "sha256:aa",
            Encrypted = true,
            Seal = new PinnedSeal(7, "author"),
            Overrides = Wanted,
        },
        new PinnedContainer
        {
            Name = "on-disk",
            Reference = "registry.example/web",
            ManifestDigest = "sha256:aa",
            Encrypted = true,
            Overrides = Wanted,
            WritableDisk = true,
        },
    ]), RegoVersion.V1);

    private static Dictionary<string, Func<CreateContainerInput, CreateContainerInput>> Changes { get; } = new()
    {
        ["another digest"] = i => i with { ManifestDigest = "sha256:ab" },
        ["an older release"] = i => i with { Sealed = i.Sealed! with { Revision = 6 } },
        ["another author"] = i => i with { Sealed = i.Sealed! with { Author = "other" } },
        ["no author"] = i => i with { Sealed = i.Sealed! with { Author = "" } },
        ["no sealed image"] = i => i with { Sealed = null },
        ["another argument"] = i => i with { Overrides = Wanted with { Arguments = ["-x"] } },
        ["another entry point"] = i => i with { Overrides = Wanted with { Entrypoint = ["/bin/sh"] } },
        ["an empty entry point"] = i => i with { Overrides = Wanted with { Entrypoint = [] } },
        ["another variable"] = i => i with { Overrides = Wanted with { Environment = ["A=b", "LD_PRELOAD=/x"] } },
        ["another directory"] = i => i with { Overrides = Wanted with { WorkingDirectory = "/tmp" } },
        ["another user"] = i => i with { Overrides = Wanted with { User = "" } },
        ["a terminal"] = i => i with { Terminal = true },
        ["changes on the host's disk"] = i => i with { WritableOnDisk = true },
        ["a read-only root"] = i => i with { ReadOnlyRoot = true },
    };

    public static TheoryData<string> Mutations => [.. Changes.Keys];

    [Fact]
    public void Create_AsPinnedOrNewer_IsAllowed()
    {
        Assert.True(Allows(Good));
        Assert.True(Allows(Good with { Sealed = Good.Sealed! with { Revision = 8 } }));
    }

    [Fact]
    public void Create_ChangesOnTheHostsDisk_AreAllowedWhereTheOwnerSaysSo()
    {
        var input = Good with { ContainerId = "on-disk", ContainerName = "on-disk", Hostname = "on-disk" };
        Assert.True(Allows(input with { WritableOnDisk = true }));
        Assert.True(Allows(input));
    }

    [Theory]
    [MemberData(nameof(Mutations))]
    public void Create_WithOneChange_IsDenied(string change) => Assert.False(Allows(Changes[change](Good)));

    private static bool Allows(CreateContainerInput input)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            input.Write(json);
            json.WriteEndObject();
        }

        return Program.Evaluate("data.agent_policy.CreateContainerRequest", RegoValue.FromJson(buffer.WrittenSpan)).IsTrue;
    }
}
