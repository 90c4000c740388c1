using System.Collections.Immutable;
using System.CommandLine;
using Kist.Cli.Commands.Verify;
using Kist.Measurement.Manifests;
using Kist.Measurement.Uefi;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure diff A B": names the input, section, page or event that moved.</summary>
static class DiffCommand
{
    public static Command Create()
    {
        var left = new Argument<string>("A") { Description = "Manifest, event log, evidence, firmware, kernel, unified image or enclave image." };
        var right = new Argument<string>("B") { Description = "Another; of another kind where one decides registers that the other shows." };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("diff", "Say what differs between two measurements or artefacts. Exit code 3 if anything does.") { left, right, json };
        command.SetAction(parse =>
        {
            var (a, b) = (EvidenceFiles.Read(parse.GetValue(left)!, PeImage.MaximumSize), EvidenceFiles.Read(parse.GetValue(right)!, PeImage.MaximumSize));
            var differences = Compare(a, b);
            Print(differences, parse.GetValue(json));
            return differences.IsEmpty ? ExitCode.Success : ExitCode.Refused;
        });
        return command;
    }

    /// <summary>
    /// Two artefacts by their parts; two of evidence, event logs and manifests by their registers and steps; an artefact and one of
    /// those by the registers that the artefact decides.
    /// </summary>
    private static ImmutableArray<ManifestDifference> Compare(byte[] a, byte[] b)
    {
        var (leftIsArtefact, rightIsArtefact) = (ArtefactDifference.KindOf(a) != "file", ArtefactDifference.KindOf(b) != "file");
        if (leftIsArtefact && rightIsArtefact)
            return ArtefactDifference.Between(a, b);
        if (!leftIsArtefact && !rightIsArtefact)
            return ManifestDifference.Between(EvidenceRegisters.Read(a), EvidenceRegisters.Read(b));
        var measured = EvidenceRegisters.Read(leftIsArtefact ? b : a);
        var artefact = ArtefactRegisters.Read(leftIsArtefact ? a : b, measured);
        // What the artefact does not decide, and by whom the rest was written, does not differ.
        measured = measured with
        {
            Tee = artefact.Tee,
            Profile = artefact.Profile,
            Inputs = artefact.Inputs,
            Registers = [.. measured.Registers.Where(r => artefact.Find(r.Name) is not null)],
        };
        return leftIsArtefact ? ManifestDifference.Between(artefact, measured) : ManifestDifference.Between(measured, artefact);
    }

    private static void Print(ImmutableArray<ManifestDifference> differences, bool json)
    {
        if (json)
        {
            VerdictOutput.Print(writer =>
            {
                writer.WriteStartArray("differences");
                foreach (var difference in differences)
                {
                    writer.WriteStartObject();
                    writer.WriteString("register", difference.Register);
                    writer.WriteString("what", difference.What);
                    writer.WriteString("left", difference.Left);
                    writer.WriteString("right", difference.Right);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            });
            return;
        }

        if (differences.IsEmpty)
            Terminal.Note("nothing differs");
        foreach (var difference in differences)
        {
            Console.Out.WriteLine($"{(difference.Register.Length > 0 ? $"{difference.Register}: " : "")}{difference.What}");
            Console.Out.WriteLine($"  {Terminal.Red($"- {difference.Left ?? "(not there)"}")}");
            Console.Out.WriteLine($"  {Terminal.Green($"+ {difference.Right ?? "(not there)"}")}");
        }
    }
}
