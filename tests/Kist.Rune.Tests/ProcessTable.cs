namespace Kist.Rune.Tests;

/// <summary>The processes of this machine.</summary>
static class ProcessTable
{
    /// <summary>Identifiers of those whose command line (arguments end with zero characters) contains a text.</summary>
    public static IEnumerable<int> Find(string commandLine)
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var id))
                continue;
            string line;
            try
            {
                line = File.ReadAllText(Path.Combine(directory, "cmdline"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            if (line.Contains(commandLine, StringComparison.Ordinal))
                yield return id;
        }
    }
}
