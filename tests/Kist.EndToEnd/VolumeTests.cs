using System.Security.Cryptography;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.EndToEnd;

/// <summary>Volumes and sealed secrets in a real guest.</summary>
public sealed class VolumeTests(Installation installation)
{
    [Fact]
    public async Task Run_Volumes_AreWhatTheOwnerPinned()
    {
        var source = Directory.CreateTempSubdirectory("kist-e2e-volume-").FullName;
        Directory.CreateDirectory(Path.Combine(source, "conf.d"));
        await File.WriteAllTextAsync(Path.Combine(source, "main.conf"), "main\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(source, "conf.d", "more"), "more\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(Path.Combine(source, "main.conf"), (UnixFileMode)0x120);
        var result = await installation.Require().Kist.RunAsync(
            "run", "--rm", "-v", $"{source}:/etc/app", "--tmpfs", "/scratch:1m", installation.Image, "sh", "-c",
            """
            cat /etc/app/main.conf /etc/app/conf.d/more
            stat -c %a /etc/app/main.conf
            touch /etc/app/x 2>/dev/null || echo read-only
            echo written > /scratch/x && cat /scratch/x
            dd if=/dev/zero of=/scratch/big bs=1k count=4096 2>/dev/null || echo full
            stat -c %a /scratch
            """);
        Directory.Delete(source, recursive: true);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("main\nmore\n440\nread-only\nwritten\nfull\n1777\n", result.Stdout);
    }

    [Fact]
    public async Task Run_Scratch_IsADiskOfItsOwn()
    {
        var result = await installation.Require().Kist.RunAsync(
            "run", "--rm", "--scratch", "/scratch:48m", installation.Image, "sh", "-c",
            """
            dd if=/dev/urandom of=/scratch/x bs=1M count=20 2>/dev/null
            test "$(cat /scratch/x | wc -c)" = 20971520 && echo kept
            grep -c ' /scratch ext4 ' /proc/mounts
            stat -c %a /scratch
            dd if=/dev/zero of=/scratch/y bs=1M count=64 2>/dev/null || echo full
            """);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("kept\n1\n1777\nfull\n", result.Stdout);
    }

    [Fact]
    public async Task Run_SealedSecrets_AreUnsealedInTheGuestOnly()
    {
        var folder = Directory.CreateTempSubdirectory("kist-e2e-sealed-").FullName;
        string At(string name) => Path.Combine(folder, name);
        using (var author = ECDsa.Create(ECCurve.NamedCurves.nistP256))
            await File.WriteAllTextAsync(At("author.pem"), author.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(At("secret"), "hunter2", TestContext.Current.CancellationToken);
        string[] seal = ["secret", "seal", "default/sealed/password", "--key", At("author.pem"), "--key-id", "kbs:///default/signing-key/e2e"];
        await File.WriteAllTextAsync(At("jwk"), await installation.Require().MustAsync([.. seal, "--public-key"]), TestContext.Current.CancellationToken);
        await installation.MustAsync("secret", "put", "kbs:///default/signing-key/e2e", At("jwk"));
        await installation.MustAsync("secret", "put", "kbs:///default/sealed/password", At("secret"));
        var text = (await installation.MustAsync(seal)).Trim();
        Directory.CreateDirectory(At("files"));
        await File.WriteAllTextAsync(At("files/password"), text + "\n", TestContext.Current.CancellationToken);

        var result = await installation.Kist.RunAsync(
            "run", "--rm", "-e", $"PASSWORD={text}", "-v", $"{At("files")}:/etc/secrets", installation.Image, "sh", "-c", "echo $PASSWORD; cat /etc/secrets/password");
        Directory.Delete(folder, recursive: true);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("hunter2\nhunter2", result.Stdout);
    }

    [Fact]
    public async Task HostileHost_VolumeThatNobodyPinned_IsDenied()
    {
        var failure = await HostilePod.RefusalAsync(
            installation.Require(), installation.Image, tamperRequest: r => r.Volumes.Add(new Volume
            {
                Name = "extra",
                MountPath = "/etc/extra",
                ReadOnly = true,
                Files = new FilesVolume { Files = { new VolumeFile { Path = "x", Mode = 0x1a4 } } },
            }));
        Assert.Equal(FailureCode.PolicyDenied, HostilePod.CodeOf(failure));
    }
}
