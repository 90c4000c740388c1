using System.Globalization;

namespace Kist.Host;

/// <summary>Programs and files that Kist uses.</summary>
internal static class Programs
{
    public static DiagnosisItem File(string id, string path, string consequence, string? remedy, bool needed)
    {
        if (System.IO.File.Exists(path))
            return new(id, DiagnosisState.Ok, string.Create(CultureInfo.InvariantCulture, $"{path}"), consequence);
        return new(id, needed ? DiagnosisState.Broken : DiagnosisState.Absent, $"no {path}", consequence, remedy);
    }
}
