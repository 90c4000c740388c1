using System.CommandLine;
using System.Globalization;
using Kist.Cli.Commands.Containers;
using Kist.Formats;
using Kist.Measurement.Manifests;
using Kist.Measurement.Sev;

namespace Kist.Cli.Commands.Measure;

/// <summary>The options that say what is launched, shared by the commands for virtual machines.</summary>
sealed class LaunchOptions
{
    public Option<string> Firmware { get; } = new("--firmware") { Description = "Firmware image: OVMF or TDVF, variables and code in one file.", HelpName = "FILE", Required = true };

    public Option<string?> Kernel { get; } = new("--kernel") { Description = "Kernel that is started directly.", HelpName = "FILE" };

    public Option<string?> Initrd { get; } = new("--initrd") { Description = "Initrd that is started with the kernel.", HelpName = "FILE" };

    public Option<string> CommandLine { get; } = new("--cmdline") { Description = "Kernel command line, as given to the monitor.", HelpName = "TEXT", DefaultValueFactory = _ => "" };

    public Option<string[]> VirtualCpus { get; } = new("--vcpus") { Description = "Number of virtual processors.", HelpName = "N" };

    /// <summary>The files as manifest inputs.</summary>
    public List<ManifestInput> Inputs { get; } = [];

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { Firmware, Kernel, Initrd, CommandLine, VirtualCpus })
            command.Add(option);
    }

    public byte[] ReadFirmware(ParseResult parse)
    {
        var bytes = MeasureFiles.Firmware(parse.GetValue(Firmware) ?? throw new OperationFailedException("read options", "--firmware", "no firmware image was given"));
        Inputs.Add(ManifestInput.File("firmware", bytes));
        return bytes;
    }

    public (byte[]? Kernel, byte[]? Initrd, string CommandLine) ReadKernel(ParseResult parse)
    {
        var kernel = MeasureFiles.Optional(parse.GetValue(Kernel));
        var initrd = MeasureFiles.Optional(parse.GetValue(Initrd));
        var commandLine = parse.GetValue(CommandLine)!;
        if (kernel is null)
            return (null, null, commandLine);
        Inputs.Add(ManifestInput.File("kernel", kernel));
        if (initrd is not null)
            Inputs.Add(ManifestInput.File("initrd", initrd));
        Inputs.Add(new ManifestInput("command line", commandLine));
        return (kernel, initrd, commandLine);
    }

    public KernelHashes? ReadKernelHashes(ParseResult parse)
    {
        var (kernel, initrd, commandLine) = ReadKernel(parse);
        return kernel is null ? null : KernelHashes.Of(kernel, initrd ?? [], commandLine);
    }

    public int OneCount(ParseResult parse)
    {
        var counts = Counts(parse, [1]);
        if (counts.Length != 1)
            throw new OperationFailedException("read option", "--vcpus", "one number is wanted here");
        Inputs.Add(new ManifestInput("processors", counts[0].ToString(CultureInfo.InvariantCulture)));
        return counts[0];
    }

    public int[] Counts(ParseResult parse, int[] usual) => parse.GetValue(VirtualCpus) is { Length: > 0 } texts
        ? [.. texts.Select(t => int.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw new OperationFailedException("read option", $"--vcpus {t}", "it is not a number"))]
        : usual;

    public static ulong Memory(string text) => (ulong)MemorySize.Parse(text);

    public static ulong Number(string option, string text)
    {
        var hex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return ulong.TryParse(hex ? text.AsSpan(2) : text, hex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new OperationFailedException("read option", $"{option} {text}", "it is not a number");
    }
}
