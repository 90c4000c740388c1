using System.Collections.Immutable;
using Kist.Attestation.X509;

namespace Kist.Attestation.Nvidia;

/// <summary>Compares measurements with NVIDIA's reference integrity manifests, where the collateral has them.</summary>
internal static class RimCheck
{
    /// <summary>
    /// The vendor's name of the roots of manifests: another than that of devices, so that neither's keys can stand for the other's.
    /// </summary>
    public const string Vendor = "nvidia-rim";

    private const string Spec = "TCG RIM information model";

    public static void Run(ImmutableArray<NvidiaDevice> devices, VerificationOptions options, VerdictBuilder verdict)
    {
        foreach (var device in devices)
        {
            foreach (var (name, version) in Names(device.Report).Zip(Versions(device.Report)))
            {
                var manifest = options.Collateral.Find(new CollateralKey(CollateralKey.NvidiaRim, name)) ?? options.Collateral.Find(KeyOf(version));
                Compare(device.Report, name, manifest, options, verdict);
            }
        }
    }

    /// <summary>The key of a manifest whose identifier is not known, by the version that it is about.</summary>
    internal static CollateralKey KeyOf(NvidiaRim rim) => KeyOf(rim.Version);

    private static CollateralKey KeyOf(string version) => new(CollateralKey.NvidiaRim, $"version/{version.ToUpperInvariant()}");

    private static IEnumerable<string> Versions(NvidiaReport report) => [Field(report, NvidiaField.VbiosVersion), Field(report, NvidiaField.DriverVersion)];

    private static string Field(NvidiaReport report, int type) =>
        report.Fields.TryGetValue(type, out var value) ? NvidiaField.Text(type, value.Span) : "";

    /// <summary>
    /// The identifiers of the manifests of a device's firmware and driver, as NVIDIA's service names them:
    /// NV_GPU_VBIOS_{project}_{project SKU}_{chip SKU}_{version without dots} and NV_GPU_DRIVER_GH100_{version}.
    /// </summary>
    internal static IEnumerable<string> Names(NvidiaReport report)
    {
        string Of(int type) => Field(report, type);
        const int chipSku = 15, project = 17, projectSku = 18;
        yield return $"NV_GPU_VBIOS_{Of(project)}_{Of(projectSku)}_{Of(chipSku)}_{Of(NvidiaField.VbiosVersion).Replace(".", "", StringComparison.Ordinal)}".ToUpperInvariant();
        yield return $"NV_GPU_DRIVER_GH100_{Of(NvidiaField.DriverVersion)}".ToUpperInvariant();
    }

    private static void Compare(
        NvidiaReport report, string name, ReadOnlyMemory<byte>? manifest, VerificationOptions options, VerdictBuilder verdict)
    {
        if (manifest is not { } bytes)
        {
            verdict.NotChecked("nvidia.rim", $"the manifest {name} is not in the collateral, so measurements were not compared with NVIDIA's",
                "give the manifest as collateral, or give reference values", Spec);
            return;
        }

        CheckSignature(name, bytes, options, verdict);
        var wrong = NvidiaRim.Parse(bytes).Mismatches(report.Measurements).ToList();
        verdict.Check("nvidia.rim.measurements", wrong.Count == 0, $"every active measurement of {name} must be as NVIDIA published it",
            "all equal", wrong.Count == 0 ? "all equal" : $"measurements {string.Join(", ", wrong)} differ",
            "install the firmware and driver that NVIDIA published, or the manifest of those that run", Spec);
    }

    private static void CheckSignature(string name, ReadOnlyMemory<byte> manifest, VerificationOptions options, VerdictBuilder verdict)
    {
        var signature = RimSignature.Read(manifest);
        verdict.Check("nvidia.rim.signature", signature is { Holds: true }, $"the manifest {name} must be as it was signed",
            "an XML signature over the whole document, by the key of its certificate", signature is null ? "it is not signed" : signature.Holds ? "verifies" : "does not verify",
            "fetch the manifest again from NVIDIA, and keep its text byte for byte", "W3C XML Signature 1.1");
        if (signature is not null)
            ChainVerifier.Verify(verdict, "nvidia.rim.chain", EndEntityPath.From(signature.Certificates[0], signature.Certificates), Vendor, options);
    }
}
