using System.Globalization;
using System.Text.Json.Nodes;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.Runtime;
using Kist.Enclaves.Signing;
using Kist.Formats;

namespace Kist.Rune;

/// <summary>
/// "measure [--bundle DIR] [--manifest-out FILE] [--key PEM --sigstruct-out FILE [--product N] [--svn N]]": the MRENCLAVE
/// that a bundle will have, computed where the bundle is trusted, which is not the machine that runs it; and what that
/// machine is to be given.
/// </summary>
static class MeasureCommand
{
    public static int Run(CommandLine line)
    {
        var bundle = OciBundle.Read(line.Value("--bundle", "-b") ?? Directory.GetCurrentDirectory());
        var options = EnclaveOptions.Read(bundle)
            ?? throw new OperationFailedException("measure", bundle.Directory, "the bundle asks for no enclave", $"set the annotation enclave.type={EnclaveOptions.IntelSgx}");
        var manifest = BundleManifest.Create(bundle, options, path => Console.Error.WriteLine($"kist-rune: {path} does not exist in the enclave")).ToBytes();
        var mrEnclave = ApplicationEnclave.Create(File.ReadAllBytes(RuntimePlaces.Default.Program), manifest).Measure();
        if (line.Value("--manifest-out") is { } manifestFile)
            File.WriteAllBytes(manifestFile, manifest);
        var output = new JsonObject { ["mrenclave"] = Convert.ToHexStringLower(mrEnclave) };
        if (line.Value("--key") is { } keyFile)
            output["mrsigner"] = Sign(line, keyFile, mrEnclave, options.Debug);
        Console.Out.WriteLine(output.ToJsonString());
        return 0;
    }

    private static string Sign(CommandLine line, string keyFile, byte[] mrEnclave, bool debug)
    {
        var file = line.Value("--sigstruct-out") ?? throw new OperationFailedException("measure", keyFile, "--key needs --sigstruct-out");
        using var pem = SecretBytes.CopyOf(File.ReadAllBytes(keyFile));
        using var key = EnclaveSigningKey.FromPem(pem.Span);
        var fields = EnclaveContainer.FieldsOf(mrEnclave, debug) with { IsvProdId = Number(line, "--product"), IsvSvn = Number(line, "--svn") };
        File.WriteAllBytes(file, SigstructComposer.Sign(fields, key).Bytes);
        return Convert.ToHexStringLower(key.MrSigner());
    }

    private static ushort Number(CommandLine line, string option) => line.Value(option) switch
    {
        null => 0,
        var text when ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw new MalformedDataException(option, -1, "not a number from 0 to 65535"),
    };
}
