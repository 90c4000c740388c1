using System.CommandLine;
using Kist.Cli.Commands.Verify;
using Kist.Measurement.Qemu;
using Kist.Measurement.Tdx;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure acpi": asks QEMU for the ACPI blobs that firmware will measure into RTMR0.</summary>
static class AcpiCommand
{
    private const int MaximumBlob = 4 << 20;

    public static Command Create()
    {
        var machine = new Argument<string[]>("QEMU-ARGUMENTS") { Description = "The guest's QEMU arguments, after --; what does not make the machine is left out." };
        var firmware = new Option<string>("--firmware") { Description = "Firmware image.", HelpName = "FILE", Required = true };
        var program = new Option<string>("--qemu") { Description = "QEMU; the blobs depend on its version.", HelpName = "FILE", DefaultValueFactory = _ => "/usr/bin/qemu-system-x86_64" };
        var directory = new Option<string?>("--output") { Description = "Directory to which the blobs are written.", HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("acpi", "Read from QEMU the ACPI tables that firmware will measure.") { machine, firmware, program, directory, json };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var blobs = await QemuAcpiProbe.ReadAsync(
                parse.GetValue(program)!, parse.GetValue(firmware)!, QemuAcpiProbe.MachineArguments(parse.GetValue(machine) ?? []), TimeSpan.FromSeconds(120), cancellationToken);
            if (parse.GetValue(directory) is { } path)
                Write(path, blobs);
            Print(blobs.Digests, parse.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>The digests of the blobs in a directory; null if none is named.</summary>
    public static AcpiDigests? ReadDigests(string? directory) => directory is null
        ? null
        : AcpiDigests.Of(Blob(directory, "table-loader"), Blob(directory, "rsdp"), Blob(directory, "tables"));

    private static byte[] Blob(string directory, string name) => EvidenceFiles.Read(Path.Combine(directory, name), MaximumBlob);

    private static void Write(string directory, AcpiBlobs blobs)
    {
        Directory.CreateDirectory(directory);
        MeasureFiles.Write(Path.Combine(directory, "table-loader"), blobs.TableLoader.Span);
        MeasureFiles.Write(Path.Combine(directory, "rsdp"), blobs.Rsdp.Span);
        MeasureFiles.Write(Path.Combine(directory, "tables"), blobs.Tables.Span);
    }

    private static void Print(AcpiDigests digests, bool json)
    {
        if (json)
        {
            VerdictOutput.Print(writer =>
            {
                writer.WriteString("table_loader", digests.TableLoader.ToString());
                writer.WriteString("rsdp", digests.Rsdp.ToString());
                writer.WriteString("tables", digests.Tables.ToString());
            });
            return;
        }

        Console.Out.WriteLine($"table-loader  {digests.TableLoader}");
        Console.Out.WriteLine($"rsdp          {digests.Rsdp}");
        Console.Out.WriteLine($"tables        {digests.Tables}");
    }
}
