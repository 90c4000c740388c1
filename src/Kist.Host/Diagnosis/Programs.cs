using System.Globalization;
using Kist.Pods.Machines;

namespace Kist.Host;

/// <summary>Programs and files that Kist uses.</summary>
internal static class Programs
{
    public static DiagnosisItem Qemu()
    {
        const string consequence = "runs the guests";
        return System.IO.File.Exists(QemuProgram.Path)
            ? new("machine.qemu", DiagnosisState.Ok, QemuProgram.Path, consequence)
            : new("machine.qemu", DiagnosisState.Broken, $"no {QemuProgram.Path}", consequence, "apt-get install qemu-system-x86");
    }

    public static DiagnosisItem File(string id, string path, string consequence, string? remedy, bool needed)
    {
        if (System.IO.File.Exists(path))
            return new(id, DiagnosisState.Ok, string.Create(CultureInfo.InvariantCulture, $"{path}"), consequence);
        return new(id, needed ? DiagnosisState.Broken : DiagnosisState.Absent, $"no {path}", consequence, remedy);
    }
}
