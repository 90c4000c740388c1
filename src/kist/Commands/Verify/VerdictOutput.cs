using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Attestation;
using Kist.Formats;

namespace Kist.Cli.Commands.Verify;

/// <summary>Prints verdicts for programs, and in one line.</summary>
static class VerdictOutput
{
    public static void PrintJson(Verdict verdict, string file) => Print(writer =>
    {
        writer.WriteString("file", file);
        writer.WritePropertyName("verdict");
        VerdictJson.Write(writer, verdict);
    });

    public static void PrintJson(MalformedDataException error, string file) => Print(writer =>
    {
        writer.WriteString("file", file);
        writer.WriteStartObject("malformed");
        writer.WriteString("structure", error.Structure);
        writer.WriteNumber("offset", error.Offset);
        writer.WriteString("reason", error.Reason);
        writer.WriteEndObject();
    });

    public static void PrintLine(Verdict verdict, string file)
    {
        var outcome = verdict.IsAccepted ? Terminal.Green("accepted") : Terminal.Red("refused");
        var marks = $"{(verdict.IsSimulated ? " SIMULATED" : "")}{(verdict.IsDebug ? " DEBUG" : "")}";
        Console.Out.WriteLine($"{file}: {verdict.Tee} {outcome}{marks}{(verdict.DecisiveFailure is { } f ? $": {f.Id}: {f.Why}" : "")}");
    }

    /// <summary>Writes one indented object and a newline to standard output.</summary>
    public static void Print(Action<Utf8JsonWriter> members)
    {
        using var output = new MemoryStream();
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        Console.Out.WriteLine(Encoding.UTF8.GetString(output.GetBuffer(), 0, (int)output.Length));
    }
}
