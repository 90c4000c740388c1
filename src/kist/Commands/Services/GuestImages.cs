using System.Security.Cryptography;
using Kist.Host;
using Kist.Pods.Guest;

namespace Kist.Cli.Commands.Services;

/// <summary>Keeps the state directory's guest image in step with this program's agent.</summary>
static class GuestImages
{
    /// <summary>The agent that is shipped beside this program.</summary>
    public static string AgentProgram { get; } = Path.Combine(AppContext.BaseDirectory, "kist-agent");

    /// <summary>Builds the image unless there is one that holds this very agent.</summary>
    public static async Task EnsureBuiltAsync(StateDirectory state, IProgress<string> progress, CancellationToken cancellationToken)
    {
        if (IsCurrent(state))
            return;
        progress.Report("building the guest image from Debian packages");
        await new GuestImageBuilder(AgentProgram, Path.Combine(state.Root, "packages")).BuildAsync(state.Guest, cancellationToken);
        progress.Report("");
    }

    private static bool IsCurrent(StateDirectory state)
    {
        var manifest = Path.Combine(state.Guest, "manifest.json");
        if (!File.Exists(manifest))
            return false;
        var built = GuestManifest.Parse(File.ReadAllBytes(manifest)).Inputs.FirstOrDefault(i => i.Name == "kist-agent")?.Sha256;

        // Where this program runs without an agent beside it, an image that was put there by hand is taken as it is.
        return !File.Exists(AgentProgram) || built == Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(AgentProgram)));
    }
}
