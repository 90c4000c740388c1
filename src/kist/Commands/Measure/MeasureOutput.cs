using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Kist.Attestation.References;
using Kist.Measurement.Manifests;

namespace Kist.Cli.Commands.Measure;

/// <summary>The options that say in which form a prediction is wanted, and the printing.</summary>
sealed class MeasureOutput
{
    private readonly Option<bool> _json = new("--json") { Description = "Print the manifest as JSON." };
    private readonly Option<string?> _referenceSet = new("--reference-set") { Description = "Print a reference set of this name for the key broker.", HelpName = "NAME" };
    private readonly Option<string?> _corim = new("--corim") { Description = "Write a CoRIM document.", HelpName = "FILE" };
    private readonly Option<string?> _sign = new("--sign") { Description = "Sign the CoRIM document and the reference set with this key (PEM, P-256 or P-384).", HelpName = "KEY" };
    private readonly Option<string> _validDays = new("--valid-days") { Description = "How long the reference values hold.", HelpName = "N", DefaultValueFactory = _ => "365" };

    public bool IsJson(ParseResult parse) => parse.GetValue(_json);

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _json, _referenceSet, _corim, _sign, _validDays })
            command.Add(option);
    }

    public int Print(ParseResult parse, MeasurementManifest manifest)
    {
        var now = TimeProvider.System.GetUtcNow();
        var expires = now.AddDays(LaunchOptions.Number("--valid-days", parse.GetValue(_validDays)!));
        if (parse.GetValue(_corim) is { } path)
            WriteCorim(parse, manifest, path, now, expires);
        if (parse.GetValue(_referenceSet) is { } name)
            WriteReferenceSet(parse, ReferenceSetWriter.Write(
                manifest, name, expires, $"kist measure {manifest.Tee}, {string.Join(", ", manifest.Inputs.Select(i => $"{i.Name} {i.Value}"))}"));
        else if (parse.GetValue(_json))
            WriteOut(ManifestJson.Write(manifest));
        else
            PrintText(manifest);
        return ExitCode.Success;
    }

    public static void WriteOut(ReadOnlySpan<byte> bytes)
    {
        using var output = Console.OpenStandardOutput();
        output.Write(bytes);
    }

    public static void PrintText(MeasurementManifest manifest)
    {
        Console.Out.WriteLine($"{manifest.Tee}, {manifest.Profile}");
        var width = manifest.Registers.Max(r => r.Name.Length);
        foreach (var register in manifest.Registers)
            Console.Out.WriteLine($"  {register.Name.PadRight(width)}  {register.Value}");
        foreach (var item in manifest.NotCovered)
            Terminal.Note($"not covered: {item.Register}: {item.What}: {item.Why}");
    }

    private void WriteReferenceSet(ParseResult parse, byte[] set)
    {
        if (parse.GetValue(_sign) is not { } keyPath)
        {
            WriteOut(set);
            return;
        }

        using var key = EcKeyFile.Read(keyPath);
        Console.Out.WriteLine(SignedReferenceSet.Sign(set, key));
    }

    private void WriteCorim(ParseResult parse, MeasurementManifest manifest, string path, DateTimeOffset from, DateTimeOffset to)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"kist-{manifest.Tee}-{Convert.ToHexStringLower(SHA256.HashData(ManifestJson.Write(manifest)))[..16]}");
        var document = CorimWriter.Write(manifest, ReferenceSetWriter.Registers(manifest), id, from, to);
        if (parse.GetValue(_sign) is { } keyPath)
        {
            using var key = EcKeyFile.Read(keyPath);
            document = CorimWriter.Sign(document, key, id);
        }

        MeasureFiles.Write(path, document);
    }
}
