using System.Security.Cryptography;
using System.Text;
using Kist.Attestation;
using Kist.Attestation.References;
using Kist.Measurement;
using Kist.Measurement.Manifests;
using Kist.Testing;

namespace Kist.Fuzz;

/// <summary>Samples of the forms that only Kist itself writes, and of images that are too large or not free to keep.</summary>
static class Seeds
{
    /// <summary>Writes them, one folder a target.</summary>
    public static void Write(string folder, string quote)
    {
        var evidence = EvidenceDetector.Detect(File.ReadAllBytes(quote)).Evidence;
        var options = new VerificationOptions { Time = new DateTimeOffset(2025, 6, 25, 0, 0, 0, TimeSpan.Zero) };
        Add(folder, "bundle", EvidenceBundleJson.Write(EvidenceBundle.Create(evidence, ExpectedBinding.None, options).Bundle));
        Add(folder, "policy", """
            {"accepted_statuses":["UpToDate"],"grace_period_days":30,"rejected_advisories":["INTEL-SA-00615"],"minimum_evaluation_data_number":17,
             "minimum_components":{"pcesvn":13},"require_sept_ve_disable":true,"allowed_chips":["00a067110000"]}
            """u8.ToArray());
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Add(folder, "referenceset", Encoding.ASCII.GetBytes(SignedReferenceSet.Sign("""{"name":"a","tee":"tdx","claims":{"quote.body.mr_td":["00"]}}"""u8, key)));
        Add(folder, "kernel", new SyntheticKernel().Build());
        Add(folder, "pe", SyntheticUki.Build((".linux", [1, 2]), (".cmdline", [3])));
        Add(folder, "uki", SyntheticUki.Build((".linux", new SyntheticKernel().Build()), (".cmdline", [3]), (".initrd", [4])));
        Add(folder, "eif", SyntheticEif.Build((1, [1]), (2, [2]), (3, [3]), (3, [4])));
        var inputs = new LaunchInputs
        {
            Firmware = SyntheticOvmf.WithTdx().Build(),
            Kernel = new SyntheticKernel().Build(),
            Initrd = "initrd"u8.ToArray(),
            CommandLine = "quiet",
            MemoryBytes = 512 << 20,
        };
        Add(folder, "firmware", inputs.Firmware.ToArray());
        Add(folder, "manifest", ManifestJson.Write(MeasurementManifest.Of(LaunchPredictor.Predict(inputs), inputs.Profile.Name, [])));
    }

    private static void Add(string folder, string target, byte[] data)
    {
        var path = Path.Combine(folder, target);
        Directory.CreateDirectory(path);
        File.WriteAllBytes(Path.Combine(path, "seed"), data);
    }
}
