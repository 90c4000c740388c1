using System.Globalization;

namespace Kist.EndToEnd;

/// <summary>What runs below a process, read from /proc.</summary>
static class ProcessTree
{
    /// <summary>All descendants of a process.</summary>
    public static IReadOnlyList<int> Below(int pid)
    {
        var parents = new Dictionary<int, int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && ParentOf(id) is { } parent)
                parents[id] = parent;
        }

        var found = new List<int>();
        var waiting = new Queue<int>([pid]);
        while (waiting.TryDequeue(out var next))
        {
            foreach (var (child, _) in parents.Where(p => p.Value == next))
            {
                found.Add(child);
                waiting.Enqueue(child);
            }
        }

        return found;
    }

    /// <summary>True if a process exists and is no zombie.</summary>
    public static bool IsAlive(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Waits until none of these processes lives, and returns those that still do after ten seconds.</summary>
    public static async Task<IReadOnlyList<int>> SurvivorsAsync(IReadOnlyList<int> pids)
    {
        for (var i = 0; i < 100 && pids.Any(IsAlive); i++)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        return [.. pids.Where(IsAlive)];
    }

    private static int? ParentOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
