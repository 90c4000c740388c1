using Kist.Formats;
using Kist.Pods.Guest;

namespace Kist.Pods.Tests;

public class GuestImageBuilderTests
{
    [Fact]
    public async Task Build_Twice_GivesTheSameBytes()
    {
        using var first = await BuiltGuest.LoadAsync();
        using var folder = new TemporaryFolder();

        var second = await new GuestImageBuilder(BuiltGuest.AgentProgram!, BuiltGuest.PackageFolder).BuildAsync(folder.Path, TestContext.Current.CancellationToken);

        Assert.Equal(first.Manifest.ToJson(), second.ToJson());
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(first.Folder, "initrd"), TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(Path.Combine(folder.Path, "initrd"), TestContext.Current.CancellationToken));
        Assert.Contains(second.Inputs, i => i.Name == "crun");
        Assert.Contains(second.Modules, m => m == "virtio_console");
        Assert.True(second.Modules.ToList().IndexOf("virtio") < second.Modules.ToList().IndexOf("virtio_console"));
    }

    [Fact]
    public async Task Load_FileWasChanged_IsRefused()
    {
        using var image = await BuiltGuest.LoadAsync();
        using var folder = new TemporaryFolder();
        foreach (var file in Directory.GetFiles(image.Folder))
            File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)));
        var initrd = Path.Combine(folder.Path, "initrd");
        var bytes = await File.ReadAllBytesAsync(initrd, TestContext.Current.CancellationToken);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(initrd, bytes, TestContext.Current.CancellationToken);

        var refused = Assert.Throws<OperationFailedException>(() => GuestImage.Load(folder.Path));

        Assert.Equal(initrd, refused.Subject);
        Assert.Contains("the manifest says", refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Build_NoAgent_SaysHowToGetOne()
    {
        var refused = await Assert.ThrowsAsync<OperationFailedException>(
            () => new GuestImageBuilder("/nothing", "/tmp").BuildAsync("/tmp/nothing", TestContext.Current.CancellationToken));

        Assert.NotNull(refused.Hint);
    }
}
