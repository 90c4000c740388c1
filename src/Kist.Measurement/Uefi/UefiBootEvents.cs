using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Kist.Measurement.EventLogs;

namespace Kist.Measurement.Uefi;

/// <summary>
/// The events of a boot from a disk, by PCR. The order within each register is what counts; between registers it is that
/// of real logs.
/// </summary>
static class UefiBootEvents
{
    public static IEnumerable<MeasuredEvent> Build(UefiBootInputs inputs, HashAlgorithmName hash)
    {
        foreach (var measured in SecureBoot(inputs, hash))
            yield return measured;
        yield return Data(hash, 4, TcgEventType.EfiAction, "Calling EFI Application from Boot Option"u8, "constant", "Calling EFI Application from Boot Option");
        foreach (var register in new[] { 0, 1, 2, 3, 4, 5, 6 })
            yield return Data(hash, register, TcgEventType.Separator, [0, 0, 0, 0], "constant", "separator");
        if (!inputs.PartitionTable.IsEmpty)
            yield return Data(hash, 5, TcgEventType.EfiGptEvent, inputs.PartitionTable.Span, "partition table", "partition table of the disk");
        foreach (var authority in inputs.Authorities)
            yield return Data(hash, 7, TcgEventType.EfiVariableAuthority, authority.Span, "secure boot", "authority that let an image through");
        foreach (var measured in Loaders(inputs, hash).Concat(UnifiedKernel(inputs, hash)).Concat(KernelStub(inputs, hash)))
            yield return measured;
        yield return Data(hash, 5, TcgEventType.EfiAction, "Exit Boot Services Invocation"u8, "constant", "Exit Boot Services Invocation");
        yield return Data(hash, 5, TcgEventType.EfiAction, "Exit Boot Services Returned with Success"u8, "constant", "Exit Boot Services Returned with Success");
        foreach (var word in inputs.Phases)
            yield return Data(hash, 11, TcgEventType.Ipl, Encoding.UTF8.GetBytes(word), "phases", $"systemd phase {word}");
        foreach (var word in inputs.MachineWords)
            yield return Data(hash, 15, TcgEventType.Ipl, Encoding.UTF8.GetBytes(word), "machine", word);
    }

    private static IEnumerable<MeasuredEvent> SecureBoot(UefiBootInputs inputs, HashAlgorithmName hash)
    {
        var variables = inputs.SecureBoot;
        yield return Variable(hash, EfiVariable.GlobalVariable, "SecureBoot", variables.SecureBoot.Span);
        yield return Variable(hash, EfiVariable.GlobalVariable, "PK", variables.PlatformKey.Span);
        yield return Variable(hash, EfiVariable.GlobalVariable, "KEK", variables.KeyExchangeKeys.Span);
        yield return Variable(hash, EfiVariable.ImageSecurityDatabase, "db", variables.Allowed.Span);
        yield return Variable(hash, EfiVariable.ImageSecurityDatabase, "dbx", variables.Forbidden.Span);
        yield return Data(hash, 7, TcgEventType.Separator, [0, 0, 0, 0], "constant", "separator");
    }

    private static IEnumerable<MeasuredEvent> Loaders(UefiBootInputs inputs, HashAlgorithmName hash)
    {
        foreach (var (index, application) in inputs.Applications.Index())
        {
            yield return Image(hash, PeImage.Parse(application.Image), application.Name);
            if (index != 0)
                continue;
            // Shim measures its lists when it starts, before what it loads.
            string[] names = ["MokList", "MokListX", "MokListTrusted"];
            foreach (var (list, content) in inputs.MokLists.Index())
                yield return Data(hash, 14, TcgEventType.Ipl, content.Span, "shim", list < names.Length ? names[list] : $"list {list}");
        }

        // GRUB digests the words alone; its log has "grub_cmd: " and "kernel_cmdline: " before them.
        foreach (var command in inputs.GrubCommands)
            yield return Data(hash, 8, TcgEventType.Ipl, Encoding.UTF8.GetBytes(command), "grub", $"grub_cmd: {command}");
        foreach (var file in inputs.GrubFiles)
            yield return Data(hash, 9, TcgEventType.Ipl, file.Content.Span, "grub", $"file {file.Path}");
        foreach (var commandLine in inputs.GrubKernelCommandLines)
            yield return Data(hash, 8, TcgEventType.Ipl, Encoding.UTF8.GetBytes(commandLine), "command line", $"kernel_cmdline: {commandLine}");
    }

    private static IEnumerable<MeasuredEvent> UnifiedKernel(UefiBootInputs inputs, HashAlgorithmName hash)
    {
        if (inputs.UnifiedKernel is not { } uki)
            yield break;
        yield return Image(hash, uki.Image, "unified kernel image");
        foreach (var section in uki.MeasuredSections)
        {
            yield return Data(hash, 11, TcgEventType.Ipl, Encoding.ASCII.GetBytes(section.Name + '\0'), "unified kernel", $"name of section {section.Name}");
            yield return Data(hash, 11, TcgEventType.Ipl, uki.InMemory(section), $"unified kernel, {section.Name}", $"section {section.Name}");
        }

        if (inputs.ExternalCommandLine is { } external)
            yield return Data(hash, 12, TcgEventType.Ipl, Encoding.Unicode.GetBytes(external + '\0'), "command line", "command line from outside");
        if (inputs.StubLoadsKernelImage)
            yield return Image(hash, PeImage.Parse(uki.Linux), "kernel of the unified image");
    }

    private static IEnumerable<MeasuredEvent> KernelStub(UefiBootInputs inputs, HashAlgorithmName hash)
    {
        if (inputs.StubCommandLine is { } commandLine)
            yield return Data(hash, 9, TcgEventType.EventTag, Encoding.Unicode.GetBytes(commandLine + '\0'), "command line", "load options of the kernel, UTF-16LE with NUL");
        if (inputs.StubInitrd is { } initrd)
            yield return Data(hash, 9, TcgEventType.EventTag, initrd.Span, "initrd", "initrd");
    }

    private static MeasuredEvent Image(HashAlgorithmName hash, PeImage image, string name) =>
        new(4, TcgEventType.EfiBootServicesApplication, image.AuthenticodeDigest(hash), [], name, $"{name} (Authenticode)");

    private static MeasuredEvent Variable(HashAlgorithmName hash, Guid vendor, string name, ReadOnlySpan<byte> value) =>
        Data(hash, 7, TcgEventType.EfiVariableDriverConfig, EfiVariable.MeasuredForm(vendor, name, value), "secure boot", $"variable {name}, {value.Length} bytes");

    private static MeasuredEvent Data(HashAlgorithmName hash, int register, uint type, ReadOnlySpan<byte> data, string input, string description) =>
        new(register, type, HashValue.Of(hash, data), data.Length <= 4096 ? ImmutableArray.Create(data) : [], input, description);
}
