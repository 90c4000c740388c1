using System.Security.Cryptography;
using Kist.Formats;
using Kist.Measurement;
using Kist.Measurement.Tdx;

namespace Kist.Pods.Guest;

/// <summary>
/// Makes a guest image from Debian packages and the agent: bit for bit the same from the same inputs, on every machine,
/// without root.
/// </summary>
/// <param name="agentProgram">The static agent (kist-agent).</param>
/// <param name="packageFolder">Where downloaded packages are kept.</param>
public sealed class GuestImageBuilder(string agentProgram, string packageFolder)
{
    /// <summary>
    /// Why each word is there: the console for people who debug; a panic ends the machine, and so does an oops, as a
    /// kernel that has erred protects nothing; the processor's random numbers are the only ones that the host does not
    /// hand in; the rest leaves out work that a guest does not need at boot.
    /// </summary>
    private const string CommandLine =
        "console=ttyS0 quiet panic=-1 oops=panic random.trust_cpu=on random.trust_bootloader=off no_timer_check cryptomgr.notests 8250.nr_uarts=1 audit=0";

    private const string KernelMetapackage = "linux-image-cloud-amd64", KernelPrefix = "linux-image-", LoaderPath = "lib64/ld-linux-x86-64.so.2";

    private static readonly int[] MeasuredSizes = [256, 512, 1024, 2048];

    private static readonly string[] RuntimePackages =
        ["crun", "e2fsprogs", "libblkid1", "libc6", "libcap2", "libcom-err2", "libext2fs2", "libgcrypt20", "libgpg-error0", "liblz4-1", "liblzma5", "libseccomp2", "libsystemd0", "libuuid1", "libyajl2", "libzstd1"];

    /// <summary>The OCI runtime, and what makes file systems on scratch disks (it is below /usr where /sbin is merged into that).</summary>
    private static readonly string[] Programs = ["usr/bin/crun", "sbin/mke2fs", "usr/sbin/mke2fs"];

    /// <summary>Needed in every guest.</summary>
    private static readonly string[] Modules = ["virtio_pci", "virtio_console", "virtio_rng", "virtio_blk", "virtio_net", "virtio_balloon", "overlay", "tcp_diag"];

    /// <summary>
    /// Loaded when a container needs them: sealed images (verity, crypt, EROFS) and encrypted scratch storage (crypt over
    /// integrity). The kernel cannot load ciphers by itself here, so those that dm-crypt asks for are named.
    /// </summary>
    private static readonly string[] StorageModules =
        ["dm_mod", "dm_verity", "dm_crypt", "dm_integrity", "aesni_intel", "sha256_ssse3", "crc32c_intel", "ecb", "xts", "authenc", "erofs", "ext4"];

    /// <summary>TEE drivers, where the kernel has them as modules; the agent loads them only on such a machine.</summary>
    private static readonly string[] TeeModules = ["configfs", "tsm", "tdx_guest", "sev_guest"];

    /// <summary>Builds into a folder: firmware, kernel, initrd and manifest.json.</summary>
    public async Task<GuestManifest> BuildAsync(string folder, CancellationToken cancellationToken = default)
    {
        if (!File.Exists(agentProgram))
            throw new OperationFailedException("build guest image", agentProgram, "does not exist", "publish the agent first: eng/build.sh");
        var debian = new DebianPackages(packageFolder);
        var kernelName = await DebianPackages.DependencyAsync(KernelMetapackage, KernelPrefix, cancellationToken).ConfigureAwait(false);
        var packages = await debian.FetchAsync([kernelName, "ovmf", .. RuntimePackages], cancellationToken).ConfigureAwait(false);
        var kernel = await DebianPackages.ReadFilesAsync(packages[0], IsKernelFile, cancellationToken).ConfigureAwait(false);
        var firmware = await DebianPackages.ReadFilesAsync(packages[1], p => p == "usr/share/ovmf/OVMF.fd", cancellationToken).ConfigureAwait(false);
        var runtime = await ReadRuntimeAsync(packages, cancellationToken).ConfigureAwait(false);

        var release = kernelName[KernelPrefix.Length..];
        var agent = await File.ReadAllBytesAsync(agentProgram, cancellationToken).ConfigureAwait(false);
        var (modules, storageModules) = CollectModules(kernel, release);
        var initrd = WriteInitrd(agent, modules, storageModules, runtime);
        var firmwareImage = Single(firmware, "usr/share/ovmf/OVMF.fd", "ovmf");
        var kernelImage = Single(kernel, $"boot/vmlinuz-{release}", kernelName);
        Directory.CreateDirectory(folder);
        var manifest = new GuestManifest
        {
            Format = GuestManifest.CurrentFormat,
            KernelRelease = release,
            CommandLine = CommandLine,
            Firmware = Save(folder, "OVMF.fd", firmwareImage),
            Kernel = Save(folder, "vmlinuz", kernelImage),
            Initrd = Save(folder, "initrd", initrd),
            Modules = [.. modules.Select(m => m.Name), .. storageModules.Select(m => m.Name)],
            Measurements = [.. MeasuredSizes.Select(m => Measure(m, firmwareImage, kernelImage, initrd))],
            Inputs =
            [
                .. packages.Select(p => new GuestInput(p.Name, p.Version, p.Sha256))
                    .Append(new GuestInput("kist-agent", AgentVersion(), Convert.ToHexStringLower(SHA256.HashData(agent))))
                    .OrderBy(i => i.Name, StringComparer.Ordinal),
            ],
        };
        Save(folder, "manifest.json", manifest.ToJson());
        return manifest;
    }

    private static GuestMeasurement Measure(int memoryMebibytes, byte[] firmware, byte[] kernel, byte[] initrd)
    {
        var values = LaunchPredictor.Predict(new LaunchInputs
        {
            Firmware = firmware,
            Kernel = kernel,
            Initrd = initrd,
            CommandLine = CommandLine,
            MemoryBytes = (ulong)memoryMebibytes << 20,
            Profile = TdxLaunchProfile.Simulated,
        });
        return new GuestMeasurement(
            memoryMebibytes, values.MrTd.ToString(), values.Rtmrs[0].ToString(), values.Rtmrs[1].ToString(), values.Rtmrs[2].ToString());
    }

    private static string AgentVersion() => typeof(GuestImageBuilder).Assembly.GetName().Version is { } v ? $"{v.Major}.{v.Minor}.{v.Build}" : "unknown";

    private static bool IsKernelFile(string path) =>
        path.StartsWith("boot/vmlinuz-", StringComparison.Ordinal)
        || path.EndsWith("/modules.builtin", StringComparison.Ordinal)
        || (path.Contains("/kernel/", StringComparison.Ordinal) && path.EndsWith(".ko", StringComparison.Ordinal));

    private static (IReadOnlyList<(string Name, byte[] Content)> AtBoot, IReadOnlyList<(string Name, byte[] Content)> Storage) CollectModules(IReadOnlyDictionary<string, byte[]> kernel, string release)
    {
        // Where /lib is merged into /usr, packages hold usr/lib/modules.
        var builtIn = kernel.Single(f => f.Key.EndsWith($"lib/modules/{release}/modules.builtin", StringComparison.Ordinal)).Value;
        var set = new KernelModuleSet(
            kernel.Where(f => f.Key.EndsWith(".ko", StringComparison.Ordinal)).ToDictionary(f => f.Key, f => f.Value),
            System.Text.Encoding.ASCII.GetString(builtIn));
        var atBoot = set.Resolve([.. Modules, .. TeeModules.Where(set.Has)]);
        return (atBoot, [.. set.Resolve(StorageModules).ExceptBy(atBoot.Select(m => m.Name), m => m.Name)]);
    }

    /// <summary>The programs' files by the path that they get in the guest.</summary>
    private static async Task<SortedDictionary<string, byte[]>> ReadRuntimeAsync(IReadOnlyList<DebianPackage> packages, CancellationToken cancellationToken)
    {
        var available = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var package in packages.Where(p => RuntimePackages.Contains(p.Name)))
        {
            var files = await DebianPackages.ReadFilesAsync(
                package, p => Programs.Contains(p) || p.Contains(".so", StringComparison.Ordinal), cancellationToken).ConfigureAwait(false);
            foreach (var (path, content) in files)
                available.TryAdd(Path.GetFileName(path), content);
        }

        var chosen = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        Add("crun", "usr/bin/crun");
        Add("mke2fs", "usr/bin/mke2fs");
        Add("ld-linux-x86-64.so.2", LoaderPath);
        return chosen;

        void Add(string name, string target)
        {
            if (chosen.ContainsKey(target) || name == Path.GetFileName(LoaderPath) && target != LoaderPath)
                return;
            if (!available.TryGetValue(name, out var content))
                throw new OperationFailedException("collect libraries", name, "no package of the list provides it");
            chosen.Add(target, content);
            foreach (var library in ElfFile.Parse(content, name).NeededLibraries())
                Add(library, $"lib/x86_64-linux-gnu/{library}");
        }
    }

    private static byte[] WriteInitrd(
        byte[] agent, IReadOnlyList<(string Name, byte[] Content)> modules, IReadOnlyList<(string Name, byte[] Content)> storageModules,
        SortedDictionary<string, byte[]> runtime)
    {
        using var archive = new MemoryStream();
        var cpio = new CpioWriter(archive);
        foreach (var directory in (string[])
            ["dev", "etc", "lib", "lib/kist", "lib/kist/modules", "lib/kist/modules/storage", "lib/x86_64-linux-gnu", "lib64", "mnt", "proc", "run", "sys", "tmp", "usr", "usr/bin"])
            cpio.AddDirectory(directory);
        // The runtime remembers for ever that it found no /dev/urandom, so nodes must be there before it starts.
        cpio.AddCharacterDevice("dev/console", 0x180, 5, 1);
        cpio.AddCharacterDevice("dev/null", 0x1b6, 1, 3);
        cpio.AddCharacterDevice("dev/random", 0x1b6, 1, 8);
        cpio.AddCharacterDevice("dev/urandom", 0x1b6, 1, 9);
        cpio.AddFile("init", 0x1ed, agent);
        AddModules("lib/kist/modules", modules);
        AddModules("lib/kist/modules/storage", storageModules);
        foreach (var (path, content) in runtime)
            cpio.AddFile(path, 0x1ed, content);
        cpio.Finish();
        // Not compressed: QEMU copies it into the guest faster than a guest decompresses it, by half a second under
        // emulation, and nothing then depends on a compressor's version.
        return archive.ToArray();

        void AddModules(string folder, IReadOnlyList<(string Name, byte[] Content)> files)
        {
            for (var i = 0; i < files.Count; i++)
                cpio.AddFile($"{folder}/{i:D2}-{files[i].Name}.ko", 0x1a4, files[i].Content);
        }
    }

    private static byte[] Single(IReadOnlyDictionary<string, byte[]> files, string path, string package) =>
        files.TryGetValue(path, out var content) ? content : throw new OperationFailedException("build guest image", package, $"the package has no {path}");

    private static GuestOutput Save(string folder, string name, byte[] content)
    {
        var path = Path.Combine(folder, name);
        var partial = path + ".partial";
        File.WriteAllBytes(partial, content);
        File.Move(partial, path, overwrite: true);
        return new GuestOutput(name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
    }
}
