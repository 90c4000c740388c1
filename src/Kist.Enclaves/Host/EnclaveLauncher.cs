using Kist.Enclaves.Platform;
using Kist.Enclaves.Sgx;
using Kist.Formats;
using Kist.Linux.Processes;

namespace Kist.Enclaves.Host;

/// <summary>
/// The first program of an enclave container. Nothing vouches for it: it hands the host program, the manifest and the
/// signature to the platform, and becomes the sealed copy that the platform measured.
/// </summary>
public static class EnclaveLauncher
{
    /// <summary>The name of the enclave's process.</summary>
    public const string ProcessName = "kist-enclave";

    /// <summary>The argument that tells the program to enter; it is no secret, and gives no rights.</summary>
    public const string EnterCommand = "enter";

    /// <summary>The argument that tells the program to launch.</summary>
    public const string LaunchCommand = "launch";

    /// <summary>Launches. Returns only by throwing.</summary>
    /// <exception cref="OperationFailedException">A step failed; the message names it.</exception>
    public static void Run()
    {
        using var program = Open(HostPaths.Program, "open enclave host");
        using var manifest = Open(HostPaths.Manifest, "open enclave manifest");
        using var sigstruct = Open(HostPaths.Sigstruct, "open SIGSTRUCT");
        var signature = new byte[Sigstruct.SizeInBytes];
        RandomAccess.Read(sigstruct, signature, 0);
        var attributes = Sigstruct.Parse(signature).Attributes;
        using var platform = PlatformClient.Connect($"{HostPaths.Platform}/{HostPaths.PlatformSocketName}");
        using var enclave = platform.Launch(program, manifest, sigstruct, attributes);
        Execution.Replace(enclave, ProcessName, [ProcessName, EnterCommand], []);
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle Open(string path, string step)
    {
        try
        {
            return File.OpenHandle(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OperationFailedException(step, path, "it cannot be opened", "enclave containers are started by kist-rune create", inner: e);
        }
    }
}
