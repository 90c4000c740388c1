using System.Collections.Immutable;

namespace Kist.Attestation.Nvidia;

/// <summary>Compares measurements with NVIDIA's reference integrity manifests, where the collateral has them.</summary>
internal static class RimCheck
{
    public static void Run(ImmutableArray<NvidiaDevice> devices, VerificationOptions options, VerdictBuilder verdict)
    {
        foreach (var device in devices)
        {
            foreach (var name in Names(device.Report))
                Compare(device.Report, name, options.Collateral.Find(new CollateralKey(CollateralKey.NvidiaRim, name)), verdict);
        }
    }

    /// <summary>
    /// The identifiers of the manifests of a device's firmware and driver, as NVIDIA's service names them:
    /// NV_GPU_VBIOS_{project}_{project SKU}_{chip SKU}_{version without dots} and NV_GPU_DRIVER_GH100_{version}.
    /// </summary>
    internal static IEnumerable<string> Names(NvidiaReport report)
    {
        string Field(int type) => report.Fields.TryGetValue(type, out var value) ? NvidiaField.Text(type, value.Span) : "";
        const int chipSku = 15, project = 17, projectSku = 18;
        yield return $"NV_GPU_VBIOS_{Field(project)}_{Field(projectSku)}_{Field(chipSku)}_{Field(NvidiaField.VbiosVersion).Replace(".", "", StringComparison.Ordinal)}".ToUpperInvariant();
        yield return $"NV_GPU_DRIVER_GH100_{Field(NvidiaField.DriverVersion)}".ToUpperInvariant();
    }

    private static void Compare(NvidiaReport report, string name, ReadOnlyMemory<byte>? manifest, VerdictBuilder verdict)
    {
        if (manifest is not { } bytes)
        {
            verdict.NotChecked("nvidia.rim", $"the manifest {name} is not in the collateral, so measurements were not compared with NVIDIA's",
                "give the manifest as collateral, or give reference values", "TCG RIM information model");
            return;
        }

        verdict.NotChecked("nvidia.rim.signature", $"the XML signature of {name} is not checked here: give only manifests that were checked before", null, "TCG RIM information model");
        var wrong = NvidiaRim.Parse(bytes).Mismatches(report.Measurements).ToList();
        verdict.Check("nvidia.rim.measurements", wrong.Count == 0, $"every active measurement of {name} must be as NVIDIA published it",
            "all equal", wrong.Count == 0 ? "all equal" : $"measurements {string.Join(", ", wrong)} differ",
            "install the firmware and driver that NVIDIA published, or the manifest of those that run", "TCG RIM information model");
    }
}
