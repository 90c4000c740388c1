using System.Globalization;
using System.Text.Json;
using Kist.Host;

namespace Kist.Cli.Commands.Demo;

/// <summary>The demo's report for people.</summary>
static class DemoText
{
    private const int SecondsWidth = 8;

    public static void Print(DemoReport report)
    {
        Heading("the container wrote");
        foreach (var line in report.Output.TrimEnd('\n').Split('\n'))
            Console.Out.WriteLine($"  {line}");

        Heading($"the key broker's verdict on the guest ({report.Platform})");
        PrintVerdict(report.Verdict);

        Heading("how long each step took");
        PrintSteps(report.Steps, "");
        Console.Out.WriteLine("  of which, in the last:");
        PrintSteps(report.Start, "  ");
    }

    /// <summary>The findings as a tree: one branch for each part of the evidence, as the dotted codes say.</summary>
    private static void PrintVerdict(JsonElement verdict)
    {
        var accepted = verdict.GetProperty("accepted").GetBoolean();
        Console.Out.WriteLine($"  {(accepted ? Terminal.Green("accepted") : Terminal.Red("refused"))}{(verdict.GetProperty("simulated").GetBoolean() ? Terminal.Yellow("  SIMULATED: it protects nothing from this machine's owner") : "")}");
        foreach (var branch in verdict.GetProperty("findings").EnumerateArray().GroupBy(BranchOf))
        {
            Console.Out.WriteLine($"  {Terminal.Bold(branch.Key)}");
            foreach (var finding in branch)
            {
                var id = finding.GetProperty("id").GetString()!;
                Console.Out.WriteLine($"    {Mark(finding.GetProperty("outcome").GetString()!)} {id[(branch.Key.Length + 1)..]}: {finding.GetProperty("why").GetString()}");
            }
        }
    }

    private static string BranchOf(JsonElement finding)
    {
        var id = finding.GetProperty("id").GetString()!;
        return id[..id.LastIndexOf('.')];
    }

    private static string Mark(string outcome) => outcome switch
    {
        "pass" => Terminal.Green("ok  "),
        "fail" => Terminal.Red("FAIL"),
        _ => Terminal.Dim("-   "),
    };

    private static void PrintSteps(IReadOnlyList<StepTiming> steps, string indent)
    {
        foreach (var step in steps)
            Console.Out.WriteLine($"{indent}{(step.Milliseconds / 1000).ToString("0.00", CultureInfo.InvariantCulture).PadLeft(SecondsWidth)} s  {step.Name}");
    }

    private static void Heading(string text) => Console.Out.WriteLine($"\n{Terminal.Bold(text)}");
}
