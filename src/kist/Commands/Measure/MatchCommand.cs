using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using Kist.Cli.Commands.Verify;
using Kist.Enclaves.Images;
using Kist.Formats;
using Kist.Measurement;
using Kist.Measurement.Firmware;
using Kist.Measurement.Manifests;
using Kist.Measurement.Matching;
using Kist.Measurement.Nitro;
using Kist.Measurement.Snp;
using Kist.Measurement.Tpm;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure match": which combination of artefacts and presets explains a piece of evidence.</summary>
static class MatchCommand
{
    public static Command Create()
    {
        var evidence = new Argument<string>("EVIDENCE") { Description = "Quote, report, document or token of TDX, SNP, a TPM, Nitro or SGX, or a manifest." };
        var launch = new LaunchOptions();
        launch.Firmware.Required = false;
        var boot = new BootOptions();
        var memory = new Option<string[]>("--memory") { Description = "Memory sizes to try (default: the usual ones).", HelpName = "SIZE" };
        var acpi = new Option<string?>("--acpi") { Description = "Directory with the ACPI blobs; without it those of the event log are taken.", HelpName = "DIR" };
        var eventLog = new Option<string?>("--event-log") { Description = "Event log that belongs to the evidence.", HelpName = "FILE" };
        var image = new Option<string[]>("--image") { Description = "Enclave to try: an EIF for Nitro, an ELF enclave or SGXS stream for SGX. May be repeated.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("match", "Find what explains a piece of evidence. Exit code 3 if something is not explained.") { evidence, memory, acpi, eventLog, image, json };
        launch.AddTo(command);
        boot.AddTo(command);
        command.SetAction(parse =>
        {
            var log = parse.GetValue(eventLog) is { } path ? EvidenceFiles.Read(path) : null;
            var registers = EvidenceRegisters.Read(EvidenceFiles.Read(parse.GetValue(evidence)!), log);
            var result = registers.Tee switch
            {
                "tdx" => MatchTdx(parse, registers, launch, boot, parse.GetValue(memory), parse.GetValue(acpi)),
                "snp" => MatchSnp(parse, registers, launch),
                "tpm" or "az-snp-vtpm" or "az-tdx-vtpm" => RegisterMatcher.Match(registers, [.. BootCandidates(parse, boot)]),
                "nitro" => RegisterMatcher.Match(registers, [.. Images(parse, image, NitroManifest)]),
                "sgx" => RegisterMatcher.Match(registers, [.. Images(parse, image, EnclaveManifest)]),
                _ => throw new OperationFailedException("match", registers.Tee, "evidence of this TEE shows no measurement that follows from artefacts", "compare manifests by: kist measure diff"),
            };
            Print(result, parse.GetValue(json));
            return result.IsExplained ? ExitCode.Success : ExitCode.Refused;
        });
        return command;
    }

    private static MatchResult MatchTdx(ParseResult parse, MeasurementManifest evidence, LaunchOptions launch, BootOptions boot, string[]? memory, string? acpi)
    {
        var sizes = memory is { Length: > 0 } texts ? [.. texts.Select(LaunchOptions.Memory)] : TdxMatcher.UsualMemoryMebibytes.Select(m => m << 20).ToImmutableArray();
        return TdxMatcher.Match(evidence, TdxCommand.Read(parse, launch, boot) with { Acpi = AcpiCommand.ReadDigests(acpi) }, sizes);
    }

    private static MatchResult MatchSnp(ParseResult parse, MeasurementManifest evidence, LaunchOptions launch)
    {
        var measurement = evidence.Find("measurement") ?? throw new MalformedDataException("SNP evidence", -1, "it has no measurement");
        var artefacts = new SnpLaunchInputs { Firmware = OvmfImage.Parse(launch.ReadFirmware(parse)), Kernel = launch.ReadKernelHashes(parse) };
        return SnpMatcher.Match(measurement, artefacts, [.. launch.Counts(parse, [.. SnpMatcher.UsualVirtualCpus])]);
    }

    /// <summary>The boot chain on both banks, with a stub that has firmware load the kernel inside and with one that does not.</summary>
    private static IEnumerable<MatchCandidate> BootCandidates(ParseResult parse, BootOptions boot)
    {
        var inputs = new List<ManifestInput>();
        var chain = boot.Read(parse, inputs)
            ?? throw new OperationFailedException("read options", "--uki", "no application is named", "give --uki, or --efi for each application that is loaded");
        foreach (var bank in new[] { HashAlgorithmName.SHA256, HashAlgorithmName.SHA384 })
        {
            foreach (var loads in chain.UnifiedKernel is null ? new[] { true } : [true, false])
            {
                MeasurementManifest manifest;
                try
                {
                    manifest = MeasurementManifest.Of(TpmBootMeasurement.Of(chain with { StubLoadsKernelImage = loads }, bank), bank.Name!, []);
                }
                catch (MalformedDataException) when (loads && chain.UnifiedKernel is not null)
                {
                    // The kernel inside is no PE image, so that firmware cannot have loaded it.
                    continue;
                }

                yield return new MatchCandidate($"{bank.Name}{(chain.UnifiedKernel is null ? "" : loads ? ", firmware loads the kernel of the image" : ", the stub starts the kernel itself")}", manifest);
            }
        }
    }

    private static IEnumerable<MatchCandidate> Images(ParseResult parse, Option<string[]> image, Func<byte[], MeasurementManifest> manifest)
    {
        if (parse.GetValue(image) is not { Length: > 0 } files)
            throw new OperationFailedException("read options", "--image", "no enclave image was given");
        return files.Select(path => new MatchCandidate(Path.GetFileName(path), manifest(EvidenceFiles.Read(path, EifImage.MaximumSize))));
    }

    private static MeasurementManifest NitroManifest(byte[] file) => MeasurementManifest.Of(NitroMeasurement.Of(EifImage.Parse(file)), []);

    private static MeasurementManifest EnclaveManifest(byte[] file)
    {
        var enclave = EnclaveFile.Parse(file);
        List<ManifestRegister> registers = [new("mrenclave", new HashValue(enclave.MrEnclave))];
        if (enclave.Sigstruct is { } signature)
            registers.Add(new ManifestRegister("mrsigner", new HashValue(signature.MrSigner())));
        return new MeasurementManifest("sgx", "enclave", [], [.. registers], [], []);
    }

    private static void Print(MatchResult result, bool json)
    {
        if (json)
        {
            VerdictOutput.Print(writer =>
            {
                writer.WriteString("tee", result.Tee);
                writer.WriteBoolean("explained", result.IsExplained);
                writer.WriteNumber("candidates", result.Candidates);
                writer.WriteStartArray("registers");
                foreach (var register in result.Registers)
                {
                    writer.WriteStartObject();
                    writer.WriteString("register", register.Register);
                    writer.WriteString("value", register.Value.ToString());
                    writer.WriteBoolean("explained", register.IsExplained);
                    writer.WriteStartArray("by");
                    foreach (var by in register.By)
                        writer.WriteStringValue(by);
                    writer.WriteEndArray();
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            });
            return;
        }

        Terminal.Note($"{result.Candidates} combinations were tried");
        foreach (var register in result.Registers)
        {
            Console.Out.WriteLine($"{(register.IsExplained ? Terminal.Green("explained    ") : Terminal.Red("not explained"))} {register.Register}  {register.Value}");
            foreach (var by in register.By)
                Console.Out.WriteLine($"                {by}");
        }
    }
}
