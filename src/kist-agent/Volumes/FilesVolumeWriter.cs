using Kist.Agent.GuestServices;
using Kist.Images.Secrets;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Volumes;

/// <summary>Writes the files of a volume into the guest's memory; what is a sealed secret is unsealed.</summary>
static class FilesVolumeWriter
{
    private const int MaximumFiles = 4096;
    private const UnixFileMode FolderMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    public static async Task WriteAsync(ServiceDesk desk, Caller caller, Volume volume, string folder, CancellationToken cancellationToken)
    {
        var files = volume.Files.Files;
        if (files.Count > MaximumFiles || files.DistinctBy(f => f.Path).Count() < files.Count || !files.All(f => IsInside(f.Path) && f.Mode <= 0x1ff))
        {
            throw new AgentException(
                FailureCode.InvalidRequest, "mount volume", volume.Name, $"it has at most {MaximumFiles} files, each once, at relative paths that stay within it, of modes up to 0777");
        }

        Directory.CreateDirectory(folder, FolderMode);
        foreach (var file in files)
        {
            var path = Path.Combine(folder, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, FolderMode);
            await WriteAsync(desk, caller, file, path, cancellationToken);
            File.SetUnixFileMode(path, (UnixFileMode)file.Mode);
        }
    }

    private static async Task WriteAsync(ServiceDesk desk, Caller caller, VolumeFile file, string path, CancellationToken cancellationToken)
    {
        await using var output = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        if (!SealedSecret.IsSealed(file.Content.Span))
        {
            await output.WriteAsync(file.Content.Memory, cancellationToken);
            return;
        }

        using var secret = await desk.UnsealAsync(caller, file.Content.ToStringUtf8().TrimEnd('\n'), cancellationToken);
        await output.WriteAsync(secret.Memory, cancellationToken);
    }

    internal static bool IsInside(string path) =>
        path.Length is > 0 and <= 4096 && !path.Contains('\0', StringComparison.Ordinal) && path.Split('/').All(p => p is not ("" or "." or ".."));
}
