namespace Kist.Pods.Guest;

/// <summary>A folder that is deleted with what it holds.</summary>
sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kist-");

    public string Path => _folder.FullName;

    public void Dispose() => _folder.Delete(recursive: true);
}
