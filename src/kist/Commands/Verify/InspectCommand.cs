using System.CommandLine;
using Kist.Attestation;

namespace Kist.Cli.Commands.Verify;

/// <summary>"kist inspect": every field with offset, value and meaning; nothing is judged.</summary>
static class InspectCommand
{
    private static readonly Argument<string> s_file = new("FILE") { Description = "Evidence, an event log, certificates or a CRL, in any form; - for standard input." };
    private static readonly Option<string?> s_tee = new("--tee") { Description = "The TEE, where it cannot be told from the file." };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };

    public static Command Create()
    {
        var command = new Command("inspect", "Show every field of evidence, without judging it.") { s_file, s_tee, s_json };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var inspection = EvidenceInspector.Inspect(EvidenceFiles.Read(parse.GetValue(s_file)!), parse.GetValue(s_tee));
        if (parse.GetValue(s_json))
            PrintJson(inspection);
        else
            PrintText(inspection);
        return ExitCode.Success;
    }

    private static void PrintText(EvidenceInspector.Inspection inspection)
    {
        Console.Out.WriteLine($"{inspection.Kind}, {string.Join(" > ", inspection.Layers)}; nothing was judged");
        var width = inspection.Fields.Select(f => f.Path.Length).DefaultIfEmpty().Max();
        foreach (var field in inspection.Fields)
        {
            var offset = field.Offset < 0 ? "      " : $"{field.Offset,6:x}";
            Console.Out.WriteLine($"{Terminal.Dim(offset)}  {field.Path.PadRight(width)}  {EvidenceText.Printable(field.Value)}{(field.Meaning is null ? "" : $"  {Terminal.Dim($"({EvidenceText.Printable(field.Meaning)})")}")}");
        }
    }

    private static void PrintJson(EvidenceInspector.Inspection inspection) => VerdictOutput.Print(writer =>
    {
        writer.WriteString("kind", inspection.Kind);
        writer.WriteStartArray("layers");
        foreach (var layer in inspection.Layers)
            writer.WriteStringValue(layer);
        writer.WriteEndArray();
        writer.WriteStartArray("fields");
        foreach (var field in inspection.Fields)
        {
            writer.WriteStartObject();
            writer.WriteString("path", field.Path);
            if (field.Offset >= 0)
                writer.WriteNumber("offset", field.Offset);
            if (field.Length >= 0)
                writer.WriteNumber("length", field.Length);
            writer.WriteString("value", field.Value);
            if (field.Meaning is not null)
                writer.WriteString("meaning", field.Meaning);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });
}
