using Kist.Attestation;

namespace Kist.Cli.Commands.Verify;

/// <summary>"kist verify --explain CODE".</summary>
static class ExplainCode
{
    public static int Print(string code, bool json)
    {
        if (FindingCatalog.Find(code) is not { } explanation)
        {
            Terminal.Error($"no finding has the code {code}");
            var near = FindingCatalog.All.Select(e => e.Id).Where(id => id.Split('.')[0] == code.Split('.')[0]).ToList();
            Terminal.Hint(near.Count > 0 ? $"codes of this kind: {string.Join(", ", near)}" : $"kinds of codes: {string.Join(", ", FindingCatalog.All.Select(e => e.Id.Split('.')[0]).Distinct())}");
            return ExitCode.Failed;
        }

        if (json)
        {
            VerdictOutput.Print(writer =>
            {
                writer.WriteString("id", explanation.Id);
                writer.WriteString("title", explanation.Title);
                writer.WriteString("text", explanation.Text);
                if (explanation.SpecReference is { } spec)
                    writer.WriteString("spec", spec);
            });
            return ExitCode.Success;
        }

        Console.Out.WriteLine($"{Terminal.Bold(explanation.Id)}: {explanation.Title}");
        Console.Out.WriteLine();
        Console.Out.WriteLine(explanation.Text);
        if (explanation.SpecReference is { } reference)
            Console.Out.WriteLine($"\nspecification: {reference}");
        return ExitCode.Success;
    }
}
