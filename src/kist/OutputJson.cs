using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kist.Cli;

/// <summary>How --json output is written: camel case, indented, and readable (nothing is escaped that need not be).</summary>
static class OutputJson
{
    public static JsonSerializerOptions CreateOptions() => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
