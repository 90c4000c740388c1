using System.CommandLine;
using System.Globalization;
using Kist.Formats;
using Kist.Measurement.Manifests;
using Kist.Measurement.Sev;

namespace Kist.Cli.Commands.Measure;

/// <summary>The options that say how a monitor prepares processors under SEV.</summary>
sealed class ProcessorOptions
{
    private readonly Option<string> _vmm = new("--vmm") { Description = "Whose monitor: qemu, ec2 or gce.", DefaultValueFactory = _ => "qemu" };
    private readonly Option<string> _cpu = new("--cpu")
    {
        Description = $"Processor model of QEMU: {string.Join(", ", CpuSignature.Names)}, or its CPUID signature such as 0xa00f11.",
        DefaultValueFactory = _ => "EPYC",
    };

    private readonly Option<string> _hostKernel = new("--host-kernel") { Description = "Generation of the host's kernel: 6.10 (and later), or before-6.10.", DefaultValueFactory = _ => "6.10" };

    public void AddTo(Command command)
    {
        command.Add(_vmm);
        command.Add(_cpu);
        command.Add(_hostKernel);
    }

    public VmmType Vmm(ParseResult parse, List<ManifestInput> inputs)
    {
        var text = parse.GetValue(_vmm)!;
        inputs.Add(new ManifestInput("monitor", text));
        return Enum.TryParse<VmmType>(text, ignoreCase: true, out var vmm) && Enum.IsDefined(vmm)
            ? vmm
            : throw new OperationFailedException("read option", $"--vmm {text}", "it is not qemu, ec2 or gce");
    }

    public uint Signature(ParseResult parse, List<ManifestInput> inputs)
    {
        var text = parse.GetValue(_cpu)!;
        var signature = CpuSignature.Find(text) ?? (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? (uint)LaunchOptions.Number("--cpu", text) : null as uint?)
            ?? throw new OperationFailedException("read option", $"--cpu {text}", "there is no such model", $"one of {string.Join(", ", CpuSignature.Names)}");
        inputs.Add(new ManifestInput("processor", $"0x{signature.ToString("x", CultureInfo.InvariantCulture)}"));
        return signature;
    }

    public KernelGeneration Generation(ParseResult parse, List<ManifestInput> inputs)
    {
        var text = parse.GetValue(_hostKernel)!;
        inputs.Add(new ManifestInput("host kernel", text));
        return text switch
        {
            "6.10" => KernelGeneration.Init2,
            "before-6.10" => KernelGeneration.BeforeInit2,
            _ => throw new OperationFailedException("read option", $"--host-kernel {text}", "it is not 6.10 or before-6.10"),
        };
    }

    public string ProfileName(ParseResult parse) => $"{parse.GetValue(_vmm)}, host kernel {parse.GetValue(_hostKernel)}";
}
