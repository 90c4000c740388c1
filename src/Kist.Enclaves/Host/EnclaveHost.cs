using System.Collections;
using System.Collections.Immutable;
using Kist.Enclaves.Aesm;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.Platform;
using Kist.Formats;
using Kist.Linux.Files;
using Kist.Linux.Isolation;
using Kist.Linux.Processes;
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

    private readonly ProcDirectory _proc;
    private readonly VerifiedRoot _root;
    private readonly ProgramStarter _starter;
    private readonly ProgramRunner _programs;
    private readonly EnclaveManifest _manifest;
    private readonly EnclaveIdentity _identity;
    private readonly AgentServer _agent;
    private readonly AttestationServer _attestation;
    private readonly Action<string> _log;

    private EnclaveHost(PlatformClient platform, ProcDirectory proc, VerifiedRoot root, EnclaveManifest manifest, HostSockets sockets, Action<string> log)
    {
        _log = log;
        _proc = proc;
        _root = root;
        _manifest = manifest;
        _starter = new ProgramStarter(manifest);
        _programs = new ProgramRunner(_starter);
        // The directory of the sockets is this process's working directory from now on: no path leads there any more.
        _identity = new EnclaveIdentity(new PlatformQuoter(platform, new AesmClient(HostPaths.AesmSocketName, s_quotePatience)), TimeProvider.System);
        _agent = new AgentServer(sockets.Agent, manifest, _programs, _identity);
        _attestation = new AttestationServer(sockets.Attestation, _identity, log);
    }

    /// <summary>Runs the enclave to its end. The application's exit code.</summary>
    /// <param name="log">Hears of what the guard refuses.</param>
    /// <exception cref="OperationFailedException">A step failed; the message names it.</exception>
    public static async Task<int> RunAsync(Action<string> log)
    {
        LockDown();
        using var platform = PlatformClient.Connect($"{HostPaths.Platform}/{HostPaths.PlatformSocketName}");
        var (_, manifestFile) = platform.Enter();
        var manifest = ReadManifest(manifestFile);
        using var host = Prepare(platform, manifest, log);
        return await host.RunApplicationAsync().ConfigureAwait(false);
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

    private static EnclaveManifest ReadManifest(SafeFileHandle file)
    {
        using (file)
        {
            if (!SealedMemoryFile.IsSealed(file))
                throw new OperationFailedException("read enclave manifest", "sealed memory", "it is not sealed");
            var bytes = new byte[Math.Min(RandomAccess.GetLength(file), EnclaveManifest.MaxBytes + 1)];
            RandomAccess.Read(file, bytes, 0);
            return EnclaveManifest.Parse(bytes);
        }
    }

    private static EnclaveHost Prepare(PlatformClient platform, EnclaveManifest manifest, Action<string> log)
    {
        var proc = ProcDirectory.Open();
        var container = DirectoryRoot.Open("/");
        var root = VerifiedRoot.Create(HostPaths.Root, container, manifest, log);
        MountPlan.Carry(manifest, container, HostPaths.Root);
        if (manifest.ReadOnlyRoot)
            MakeReadOnly(HostPaths.Root);
        var sockets = HostSockets.Open();
        PivotRoot.To(HostPaths.Root, sockets.PlatformDirectory);
        ResourceLimits.SetOpenFiles(manifest.Limits.OpenFiles);
        return new EnclaveHost(platform, proc, root, manifest, sockets, log);
    }

    /// <summary>Read-only for the programs, through this mount; the guard writes contents through another.</summary>
    private static void MakeReadOnly(string path)
    {
        Mounts.Mount(path, path, null, MountOptions.Bind | MountOptions.Recursive);
        Mounts.Mount(path, path, null, MountOptions.Bind | MountOptions.Remount | MountOptions.ReadOnly | MountOptions.NoSetUid | MountOptions.NoDevices);
    }

    private async Task<int> RunApplicationAsync()
    {
        var listener = new SeccompListener(await _starter.Listener.ConfigureAwait(false));
        new Thread(() => new FileGuard(_root, _proc, listener, _log).Run(), 1 << 20) { IsBackground = true, Name = "file guard" }.Start();

        _agent.Start();
        _ = _attestation.RunAsync();

        ImmutableArray<SafeFileHandle> standard = [.. Enumerable.Range(0, 3).Select(n => new SafeFileHandle(n, ownsHandle: false))];
        var (pid, ended) = await _programs.StartAsync(_manifest.Process.Args, standard).ConfigureAwait(false);
        using var signals = new SignalRelay(pid, _manifest.Process.Terminal);
        return (await ended.ConfigureAwait(false)).ExitCode;
    }
}
