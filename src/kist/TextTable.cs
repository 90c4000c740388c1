namespace Kist.Cli;

/// <summary>Columns aligned with spaces, for people; programs have --json.</summary>
static class TextTable
{
    public static void Print(string[] header, IReadOnlyList<string[]> rows)
    {
        string[][] all = [header, .. rows];
        var widths = Enumerable.Range(0, header.Length).Select(column => all.Max(row => row[column].Length)).ToArray();
        foreach (var row in all)
            Console.Out.WriteLine(string.Join("   ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
