namespace Kist.Testing;

/// <summary>Finds the captured evidence that lies beside the checkout. Tests that need it skip, by name, without it.</summary>
public static class Evidence
{
    public static string RepositoryRoot { get; } = FindRoot();

    public static string Directory => Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared", "evidence"));

    public static bool IsPresent => System.IO.Directory.Exists(Directory);

    /// <summary>The path of one item; the running test is skipped where the corpus is missing.</summary>
    public static string PathOf(string relative)
    {
        Assert.SkipUnless(IsPresent, $"the evidence corpus is not at {Path.Combine("..", "shared", "evidence")}: {relative}");
        var path = Path.Combine(Directory, relative);
        Assert.SkipUnless(Path.Exists(path), $"the evidence corpus has no {relative}");
        return path;
    }

    public static byte[] Read(string relative) => File.ReadAllBytes(PathOf(relative));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Kist.slnx")))
                return folder.FullName;
        }

        throw new InvalidOperationException("Kist.slnx is in no folder above the test program");
    }
}
