using Kist.Formats;

namespace Kist.Host;

/// <summary>
/// The one directory in which Kist keeps everything on a host: development servers, the guest image, the simulated
/// platform's seed, containers. It is readable by its owner only, since keys lie in it.
/// </summary>
public sealed class StateDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private StateDirectory(string root) => Root = root;

    /// <summary>Absolute path of the directory.</summary>
    public string Root { get; }

    /// <summary>Broker, registry and their keys: what <c>kist up</c> serves.</summary>
    public string Services => Path.Combine(Root, "services");

    /// <summary>Kernel, initrd, firmware and their manifest.</summary>
    public string Guest => Path.Combine(Root, "guest");

    /// <summary>Seed and collateral of the simulated platform.</summary>
    public string Simulator => Path.Combine(Root, "simulator");

    /// <summary>One folder a container.</summary>
    public string Containers => Path.Combine(Root, "containers");

    /// <summary>Blobs of sealed images, shared by all pods.</summary>
    public string ImageCache => Path.Combine(Root, "images");

    /// <summary>The log-of-last-resort of background processes.</summary>
    public string Logs => Path.Combine(Root, "logs");

    /// <summary>
    /// Where state lies if nothing is said: KIST_HOME, or XDG_STATE_HOME/kist, or .local/state/kist in the home directory.
    /// </summary>
    public static string DefaultRoot()
    {
        if (Environment.GetEnvironmentVariable("KIST_HOME") is { Length: > 0 } home)
            return home;
        if (Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } stateHome)
            return Path.Combine(stateHome, "kist");
        return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state", "kist");
    }

    /// <summary>The longest path of a state directory whose sockets still have room in 107 bytes.</summary>
    private const int MaxRootLength = 60;

    /// <summary>Opens the directory, making it and its folders if they are not there.</summary>
    /// <exception cref="OperationFailedException">It cannot be made, or others may enter it.</exception>
    public static StateDirectory Open(string root)
    {
        var state = new StateDirectory(Path.GetFullPath(root));
        if (System.Text.Encoding.UTF8.GetByteCount(state.Root) > MaxRootLength)
        {
            throw new OperationFailedException(
                "open state directory", state.Root, $"its path is longer than {MaxRootLength} bytes, too long for the sockets in it",
                "choose another one with --state or KIST_HOME");
        }

        try
        {
            foreach (var folder in (string[])[state.Root, state.Services, state.Guest, state.Simulator, state.Containers, state.ImageCache, state.Logs])
                Directory.CreateDirectory(folder, OwnerOnly);

            if ((File.GetUnixFileMode(state.Root) & ~OwnerOnly) != 0)
            {
                throw new OperationFailedException(
                    "open state directory", state.Root, "others may read or enter it, and keys lie in it", $"chmod 700 {state.Root}");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OperationFailedException(
                "open state directory", state.Root, e.Message, "choose another one with --state or KIST_HOME", inner: e);
        }

        return state;
    }
}
