using System.Collections.Immutable;
using System.CommandLine;
using Kist.Cli.Commands.Verify;
using Kist.Formats;
using Kist.Measurement.Manifests;
using Kist.Measurement.Uefi;

namespace Kist.Cli.Commands.Measure;

/// <summary>The options that describe a boot from a disk: applications, unified kernel image, GRUB, Secure Boot.</summary>
sealed class BootOptions
{
    private readonly Option<string?> _uki = new("--uki") { Description = "Unified kernel image that firmware or a boot loader loads.", HelpName = "FILE" };
    private readonly Option<string[]> _efi = new("--efi") { Description = "EFI application that is loaded, in order: shim, GRUB, kernel. May be repeated.", HelpName = "FILE" };
    private readonly Option<string?> _variables = new("--variables") { Description = "Flash image with enrolled Secure Boot variables, such as OVMF_VARS.ms.fd.", HelpName = "FILE" };
    private readonly Option<string[]> _mok = new("--mok") { Description = "MokList, MokListX, MokListTrusted as shim measures them, in this order.", HelpName = "FILE" };
    private readonly Option<string[]> _grubCommand = new("--grub-command") { Description = "Command that GRUB runs, in order. May be repeated.", HelpName = "TEXT" };
    private readonly Option<string[]> _grubFile = new("--grub-file") { Description = "File that GRUB reads, in order. May be repeated.", HelpName = "FILE" };
    private readonly Option<string[]> _grubKernelCommandLine = new("--grub-cmdline") { Description = "Command line that GRUB gives to the kernel.", HelpName = "TEXT" };
    private readonly Option<string?> _externalCommandLine = new("--external-cmdline") { Description = "Command line given to a unified kernel image from outside.", HelpName = "TEXT" };
    private readonly Option<string?> _stubCommandLine = new("--stub-cmdline") { Description = "Load options that the kernel's EFI stub measures.", HelpName = "TEXT" };
    private readonly Option<string?> _stubInitrd = new("--stub-initrd") { Description = "Initrd that the kernel's EFI stub measures.", HelpName = "FILE" };
    private readonly Option<string?> _gpt = new("--gpt") { Description = "UEFI_GPT_DATA of the disk, as the event log has it.", HelpName = "FILE" };
    private readonly Option<string[]> _authority = new("--authority") { Description = "UEFI_VARIABLE_DATA of an authority that let an image through. May be repeated.", HelpName = "FILE" };
    private readonly Option<string[]> _phase = new("--phase") { Description = "Word that systemd measures when it reaches a phase. May be repeated.", HelpName = "TEXT" };
    private readonly Option<string[]> _bootVariable = new("--boot-variable")
    {
        Description = "Boot variable that firmware measures under TDX, in order, BootOrder first: NAME=FILE with its value, or a file of efivarfs. May be repeated.",
        HelpName = "NAME=FILE",
    };

    private readonly Option<string[]> _machine = new("--machine-word") { Description = "What systemd measures of the machine, such as machine-id:… May be repeated.", HelpName = "TEXT" };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[]
        {
            _uki, _efi, _variables, _mok, _grubCommand, _grubFile, _grubKernelCommandLine, _externalCommandLine, _stubCommandLine, _stubInitrd,
            _gpt, _authority, _phase, _machine, _bootVariable,
        })
            command.Add(option);
    }

    /// <summary>The boot chain; null if no application is named.</summary>
    public UefiBootInputs? Read(ParseResult parse, List<ManifestInput> inputs)
    {
        var uki = parse.GetValue(_uki);
        var applications = parse.GetValue(_efi) ?? [];
        if (uki is null && applications.Length == 0)
            return null;
        return new UefiBootInputs
        {
            Applications = [.. applications.Select(path => new EfiApplication(Path.GetFileName(path), File(path, inputs)))],
            UnifiedKernel = uki is null ? null : UnifiedKernelImage.Parse(File(uki, inputs)),
            SecureBoot = SecureBoot(parse.GetValue(_variables), inputs),
            MokLists = [.. Files(parse, _mok, inputs)],
            GrubCommands = [.. Texts(parse, _grubCommand, inputs)],
            GrubFiles = [.. (parse.GetValue(_grubFile) ?? []).Select(path => new GrubFile(path, File(path, inputs)))],
            GrubKernelCommandLines = [.. Texts(parse, _grubKernelCommandLine, inputs)],
            ExternalCommandLine = Text(parse, _externalCommandLine, inputs),
            StubCommandLine = Text(parse, _stubCommandLine, inputs),
            StubInitrd = parse.GetValue(_stubInitrd) is { } initrd ? File(initrd, inputs) : (ReadOnlyMemory<byte>?)null,
            PartitionTable = parse.GetValue(_gpt) is { } gpt ? File(gpt, inputs) : default,
            Authorities = [.. Files(parse, _authority, inputs)],
            Phases = [.. Texts(parse, _phase, inputs)],
            MachineWords = [.. Texts(parse, _machine, inputs)],
        };
    }

    /// <summary>BootOrder and Boot#### as given; empty for those of a machine without disks.</summary>
    public ImmutableArray<StoredVariable> ReadVariables(ParseResult parse, List<ManifestInput> inputs) =>
        [.. (parse.GetValue(_bootVariable) ?? []).Select(text => Variable(text, inputs))];

    private static StoredVariable Variable(string text, List<ManifestInput> inputs)
    {
        // Linux puts four bytes of attributes before the value, and the namespace behind the name.
        var suffix = $"-{EfiVariable.GlobalVariable}";
        var (name, path) = text.Split('=', 2) is [{ Length: > 0 } given, { Length: > 0 } file] ? (given, file)
            : text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) ? (Path.GetFileName(text)[..^suffix.Length], text)
            : throw new OperationFailedException("read option", $"--boot-variable {text}", "it is neither NAME=FILE nor a file of efivarfs");
        var value = MeasureFiles.Image(path).AsMemory();
        if (path.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
            value = value.Length >= 4 ? value[4..] : throw new MalformedDataException("EFI variable", 0, $"{path} is too short for its attributes");
        inputs.Add(ManifestInput.File($"variable {name}", value.Span));
        return new StoredVariable(EfiVariable.GlobalVariable, name, value);
    }

    private static SecureBootVariables SecureBoot(string? path, List<ManifestInput> inputs)
    {
        if (path is null)
            return SecureBootVariables.None;
        var stored = VariableStore.Parse(File(path, inputs))
            ?? throw new MalformedDataException("variable store", -1, $"{path} does not start with a volume of UEFI variables");
        return SecureBootVariables.Of(stored, supportsSecureBoot: true);
    }

    private static ReadOnlyMemory<byte> File(string path, List<ManifestInput> inputs)
    {
        var bytes = MeasureFiles.Image(path);
        inputs.Add(ManifestInput.File(Path.GetFileName(path), bytes));
        return bytes;
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Files(ParseResult parse, Option<string[]> option, List<ManifestInput> inputs) =>
        (parse.GetValue(option) ?? []).Select(path => File(path, inputs));

    private static IEnumerable<string> Texts(ParseResult parse, Option<string[]> option, List<ManifestInput> inputs)
    {
        foreach (var (index, text) in (parse.GetValue(option) ?? []).Index())
        {
            inputs.Add(new ManifestInput($"{option.Name[2..]} {index}", text));
            yield return text;
        }
    }

    private static string? Text(ParseResult parse, Option<string?> option, List<ManifestInput> inputs)
    {
        if (parse.GetValue(option) is { } text)
            inputs.Add(new ManifestInput(option.Name[2..], text));
        return parse.GetValue(option);
    }
}
