using System.Collections;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Kist.Enclaves.Aesm;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.ImageAgents;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.Names;
using Kist.Enclaves.Platform;
using Kist.Enclaves.SealedRoots;
using Kist.Formats;
using Kist.Linux.Files;
using Kist.Linux.Isolation;
using Kist.Linux.Network;
using Kist.Linux.Processes;
using Kist.Oci;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Host;

/// <summary>
/// The enclave's own program, executed from sealed memory after the platform measured it: becomes the enclave, builds
/// the verified root, starts the application exactly as the manifest says, and answers for it. Arguments, environment
/// and everything else that the container runtime passed are ignored.
/// </summary>
public sealed class EnclaveHost : IDisposable
{
    private static readonly TimeSpan s_quotePatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_secretPatience = TimeSpan.FromMinutes(2);

    private readonly ProcDirectory _proc;
    private readonly VerifiedRoot _root;
    private readonly ProgramStarter _starter;
    private readonly ProgramRunner _programs;
    private readonly EnclaveManifest _manifest;
    private readonly PlatformQuoter _quoter;
    private readonly EnclaveIdentity _identity;
    private readonly HostSockets _sockets;
    private readonly AgentServer _agent;
    private readonly AttestationServer _attestation;
    private readonly Action<string> _log;

    private EnclaveHost(PlatformClient platform, ProcDirectory proc, VerifiedRoot root, EnclaveManifest manifest, HostSockets sockets, Action<string> log)
    {
        _log = log;
        _proc = proc;
        _root = root;
        _manifest = manifest;
        _sockets = sockets;
        _starter = new ProgramStarter(manifest);
        _programs = new ProgramRunner(_starter);
        // The directory of the sockets is this process's working directory from now on: no path leads there any more.
        _quoter = new PlatformQuoter(platform, new AesmClient(HostPaths.AesmSocketName, s_quotePatience));
        _identity = new EnclaveIdentity(_quoter, TimeProvider.System);
        _agent = new AgentServer(sockets.Agent, manifest, _programs, _identity);
        _attestation = new AttestationServer(UnixListener.ToSocket(sockets.Attestation), _identity, log);
    }

    /// <summary>Runs the enclave to its end. The application's exit code.</summary>
    /// <param name="log">Hears of what the guard refuses.</param>
    /// <exception cref="OperationFailedException">A step failed; the message names it.</exception>
    public static async Task<int> RunAsync(Action<string> log)
    {
        LockDown();
        using var platform = PlatformClient.Connect($"{HostPaths.Platform}/{HostPaths.PlatformSocketName}");
        var (secs, manifestFile) = platform.Enter();
        var manifestBytes = ReadManifest(manifestFile);
        var manifest = EnclaveManifest.Parse(manifestBytes);
        var needsKin = manifest.Agent is not null || manifest.ImageFromAgent == true;
        var self = needsKin ? EnclaveSelf.Read(secs, manifestBytes, platform) : null;
        using var host = Prepare(platform, manifest, self, log);
        return await (manifest.Agent is { } agent ? host.RunImageAgentAsync(self!, agent) : host.RunApplicationAsync()).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _attestation.Dispose();
        _identity.Dispose();
        _root.Dispose();
        _proc.Dispose();
    }

    /// <summary>Before anything secret is in memory. The launcher passes no environment: one that is there is an attempt on the runtime's settings.</summary>
    private static void LockDown()
    {
        ProcessControl.ForbidDumps();
        ResourceLimits.ForbidCoreFiles();
        if (Environment.GetEnvironmentVariables() is { Count: > 0 } variables)
        {
            throw new OperationFailedException(
                "enter enclave", variables.Cast<DictionaryEntry>().First().Key.ToString()!, "the enclave host was started with an environment variable",
                "enclave containers are started by kist-rune create");
        }

        IgnoreSettings();
    }

    /// <summary>
    /// Libraries in this process must take nothing from files that the container has: OpenSSL's configuration can name code
    /// to load, and .NET looks into the home directory for certificates (and fails in TLS if it cannot find out which that is).
    /// </summary>
    private static void IgnoreSettings()
    {
        const string nowhere = "/proc/self/kist-enclave";
        NativeEnvironment.Set("OPENSSL_CONF", "/dev/null");
        NativeEnvironment.Set("SSL_CERT_FILE", nowhere);
        NativeEnvironment.Set("SSL_CERT_DIR", nowhere);
        Environment.SetEnvironmentVariable("HOME", nowhere);
    }

    private static byte[] ReadManifest(SafeFileHandle file)
    {
        using (file)
        {
            if (!SealedMemoryFile.IsSealed(file))
                throw new OperationFailedException("read enclave manifest", "sealed memory", "it is not sealed");
            var bytes = new byte[Math.Min(RandomAccess.GetLength(file), EnclaveManifest.MaxBytes + 1)];
            RandomAccess.Read(file, bytes, 0);
            return bytes;
        }
    }

    private static EnclaveHost Prepare(PlatformClient platform, EnclaveManifest manifest, EnclaveSelf? self, Action<string> log)
    {
        var proc = ProcDirectory.Open();
        var sockets = HostSockets.Open(manifest);
        using var container = DirectoryRoot.Open("/");
        var root = OpenRoot(manifest, self, log);
        MountPlan.Carry(manifest, container, HostPaths.Root);
        // An image agent unpacks in its root.
        if (manifest.ReadOnlyRoot && manifest.Agent is null)
            MakeReadOnly(HostPaths.Root);
        HostPrivileges.LimitOtherThreads(manifest);
        HostPrivileges.LimitThisThread(manifest, () => PivotRoot.To(HostPaths.Root, sockets.PlatformDirectory));
        ResourceLimits.SetOpenFiles(manifest.Limits.OpenFiles);
        foreach (var file in NameResolver.Files)
            root.BringIn(file, proc);
        return new EnclaveHost(platform, proc, root, manifest, sockets, log);
    }

    private static VerifiedRoot OpenRoot(EnclaveManifest manifest, EnclaveSelf? self, Action<string> log)
    {
        if (manifest.ImageFromAgent != true)
            return VerifiedRoot.Create(HostPaths.Root, new DirectoryFileSource(), manifest, log);
        var digest = Digest.Parse(manifest.ImageDigest!);
        using var agent = ImageAgentClient.Connect($"{HostPaths.Pod}/{HostPaths.ImageAgentName}", TimeSpan.Zero);
        var key = agent.FetchKey(self!);
        var root = SealedRoot.Open(File.OpenHandle($"{HostPaths.Pod}/{HostPaths.ImagesName}/{digest.Hex}.root"), key, Convert.FromHexString(digest.Hex));
        // Only the WebAssembly runtime is not the image's.
        IFileSource source = manifest.Files.Length > 1 ? new JoinedFileSource(root, new DirectoryFileSource()) : root;
        return VerifiedRoot.Create(HostPaths.Root, source, manifest with { Files = WasmFiles.Join(root.Files, manifest.Files) }, log);
    }

    /// <summary>Read-only for the programs, through this mount; the guard writes contents through another.</summary>
    private static void MakeReadOnly(string path)
    {
        Mounts.Mount(path, path, null, MountOptions.Bind | MountOptions.Recursive);
        Mounts.Mount(path, path, null, MountOptions.Bind | MountOptions.Remount | MountOptions.ReadOnly | MountOptions.NoSetUid | MountOptions.NoDevices);
    }

    /// <summary>Serves the pod until it is told to end.</summary>
    private async Task<int> RunImageAgentAsync(EnclaveSelf self, ManifestAgent settings)
    {
        using var keys = new BrokerKeys(_manifest.Broker, _quoter, TimeProvider.System);
        using var images = _sockets.Images!;
        using var agent = new ImageAgent(self, settings, new ImageStore(images, self), "/.images", keys);
        new PacketServer(_sockets.ImageAgent!, "image agent", new ImageAgentServer(agent, _log).Serve).Start();
        _agent.Start();
        _ = _attestation.RunAsync();

        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            ended.TrySetResult();
        }

        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        await ended.Task.ConfigureAwait(false);
        return 0;
    }

    private async Task FetchSecretsAsync(ImmutableArray<ManifestSecret> secrets)
    {
        using var limit = new CancellationTokenSource(s_secretPatience);
        using var keys = new BrokerKeys(_manifest.Broker, _quoter, TimeProvider.System);
        foreach (var secret in secrets)
        {
            using var content = await keys.FetchAsync(secret.Resource, limit.Token).ConfigureAwait(false);
            _root.AddSecret(secret.Path, content.Span, _manifest.Process.Uid, _manifest.Process.Gid);
        }
    }

    private async Task<int> RunApplicationAsync()
    {
        if (_manifest.Secrets is { } secrets)
            await FetchSecretsAsync(secrets).ConfigureAwait(false);
        var listener = new SeccompListener(_starter.WaitForListener());
        new Thread(() => new FileGuard(_root, _proc, listener, _log).Run(), 1 << 20) { IsBackground = true, Name = "file guard" }.Start();

        _agent.Start();
        _ = _attestation.RunAsync();

        ImmutableArray<SafeFileHandle> standard = [.. Enumerable.Range(0, 3).Select(n => new SafeFileHandle(n, ownsHandle: false))];
        var (pid, ended) = _programs.Start(_manifest.Process.Args, standard);
        using var signals = new SignalRelay(pid, _manifest.Process.Terminal);
        return (await ended.ConfigureAwait(false)).ExitCode;
    }
}
