using Kist.Formats;
using Kist.Oci;

namespace Kist.Cli.Commands.Demo;

/// <summary>An ordinary image: Debian's static busybox and a file that nobody else should read.</summary>
static class DemoImage
{
    private const string Busybox = "/bin/busybox";
    private static readonly string[] Applets = ["sh", "cat", "echo", "id", "uname"];

    /// <summary>Writes it to an OCI layout, tag latest.</summary>
    public static async Task BuildAsync(string layout, CancellationToken cancellationToken)
    {
        if (!File.Exists(Busybox))
            throw new OperationFailedException("make demo image", Busybox, "it is not installed", "apt-get install busybox-static");
        var root = Directory.CreateTempSubdirectory("kist-demo-rootfs-").FullName;
        try
        {
            foreach (var folder in (string[])["bin", "etc", "tmp", "proc", "sys", "dev", "root"])
                Directory.CreateDirectory(Path.Combine(root, folder));
            File.Copy(Busybox, Path.Combine(root, "bin", "busybox"));
            foreach (var applet in Applets)
                File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
            await File.WriteAllTextAsync(Path.Combine(root, "etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\n", cancellationToken);
            await File.WriteAllTextAsync(Path.Combine(root, "etc", "kist-demo"), "whoever owns the machine cannot read this from the registry\n", cancellationToken);
            var options = new ImageBuildOptions { Config = new ContainerConfiguration { Command = ["/bin/sh"], Environment = ["PATH=/bin"] } };
            await ImageBuilder.BuildAsync([root], new OciLayout(layout, "latest"), options, cancellationToken);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
