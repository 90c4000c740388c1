using Kist.Pods.Protocol;

namespace Kist.EndToEnd;

/// <summary>What a hostile registry, or a host between it and the guest, tries.</summary>
public sealed class RegistryAttackTests(Installation installation, ITestOutputHelper output)
{
    [Theory]
    [InlineData("flipped bit in a layer", FailureCode.ImageRefused)]
    [InlineData("layer cut short", FailureCode.ImagePull)]
    [InlineData("layer made longer", FailureCode.ImagePull)]
    [InlineData("flipped bit in the manifest", FailureCode.ImageRefused)]
    [InlineData("another image's manifest", FailureCode.ImageRefused)]
    public async Task ChangeWhatPasses(string attack, string stoppedAs)
    {
        installation.Require();
        var largest = 0;
        await using var hostile = new HostileRegistry(installation.Endpoints.Registry, (path, body) =>
        {
            var isLayer = path.Contains("/blobs/", StringComparison.Ordinal) && body.Length > 100_000;
            largest = Math.Max(largest, isLayer ? body.Length : 0);
            return Change(attack, path, body, isLayer);
        });
        var failure = await HostilePod.RefusalAsync(
            installation, installation.Image,
            tamperMachine: spec => spec with { Doors = [spec.Doors[0], spec.Doors[1] with { Service = hostile.EndPoint }] });
        output.WriteLine($"{attack} | {HostilePod.CodeOf(failure)} | {failure.Message} | {failure.Hint}");
        Assert.Equal(stoppedAs, HostilePod.CodeOf(failure));
        Assert.True(largest > 0 || attack.Contains("manifest", StringComparison.Ordinal), "the attack never saw a layer");
    }

    private static byte[] Change(string attack, string path, byte[] body, bool isLayer)
    {
        var isManifest = path.Contains("/manifests/", StringComparison.Ordinal);
        switch (attack)
        {
            case "flipped bit in a layer" when isLayer:
                body[body.Length / 2] ^= 1;
                return body;
            case "layer cut short" when isLayer:
                return body[..^1];
            case "layer made longer" when isLayer:
                return [.. body, 0];
            case "flipped bit in the manifest" when isManifest:
                body[^2] ^= 1;
                return body;
            case "another image's manifest" when isManifest:
                return "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2},\"layers\":[]}"u8.ToArray();
            default:
                return body;
        }
    }
}
