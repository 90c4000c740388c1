using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Testing;

namespace Kist.Pods.Tests;

/// <summary>
/// A guest image with the agent that was last published (eng/build.sh), built once a run. Tests that need it skip where
/// QEMU, the agent or Debian's packages are missing, and say which.
/// </summary>
static class BuiltGuest
{
    private static readonly SemaphoreSlim Building = new(1, 1);
    private static string? _folder;

    public static string? AgentProgram { get; } = new[] { "artifacts/publish/kist-agent/kist-agent", "artifacts/bin/kist-agent" }
        .Select(p => Path.Combine(Evidence.RepositoryRoot, p)).FirstOrDefault(File.Exists);

    public static string PackageFolder { get; } = Path.Combine(Evidence.RepositoryRoot, "artifacts", "packages");

    public static async Task<GuestImage> LoadAsync()
    {
        Assert.SkipUnless(File.Exists(QemuProgram.Path), "QEMU is not installed");
        Assert.SkipUnless(AgentProgram is not null, "the agent has not been published: eng/build.sh");
        Assert.SkipUnless(File.Exists("/usr/bin/apt-get"), "guest images are built of Debian packages, and this is no Debian");
        await Building.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_folder is null)
            {
                var folder = Path.Combine(Evidence.RepositoryRoot, "artifacts", "test-guest");
                await new GuestImageBuilder(AgentProgram!, PackageFolder).BuildAsync(folder, TestContext.Current.CancellationToken);
                _folder = folder;
            }

            return GuestImage.Load(_folder);
        }
        finally
        {
            Building.Release();
        }
    }
}
