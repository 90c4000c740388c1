namespace Kist.Shim.Tests;

/// <summary>The host's processes.</summary>
static class ProcessTable
{
    public static IEnumerable<(int Id, int Parent, string CommandLine)> All()
    {
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id))
                continue;
            (int, int, string)? process = null;
            try
            {
                var stat = File.ReadAllText($"{folder}/stat");
                process = (id, int.Parse(stat[(stat.LastIndexOf(')') + 4)..].Split(' ')[0]), File.ReadAllText($"{folder}/cmdline").Replace('\0', ' '));
            }
            catch (IOException)
            {
                // It has ended.
            }

            if (process is { } found)
                yield return found;
        }
    }

    public static IReadOnlyList<int> ChildrenOf(int parent) => [.. All().Where(p => p.Parent == parent).Select(p => p.Id)];

    public static int ResidentMebibytes(int id) => (int)(long.Parse(File.ReadAllText($"/proc/{id}/statm").Split(' ')[1]) * 4096 >> 20);

    public static bool Exists(int id) => Directory.Exists($"/proc/{id}") && !File.ReadAllText($"/proc/{id}/stat").Contains(") Z ", StringComparison.Ordinal);
}
