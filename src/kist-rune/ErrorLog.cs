using System.Globalization;
using System.Text.Json.Nodes;

namespace Kist.Rune;

/// <summary>Errors go to standard error for people, and to the file that the caller names by --log, in its format.</summary>
static class ErrorLog
{
    public static void Write(CommandLine line, string message)
    {
        Console.Error.WriteLine($"kist-rune: {message}");
        if (line.GlobalValue("--log") is not { } path)
            return;
        var time = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var entry = line.GlobalValue("--log-format") == "json"
            ? new JsonObject { ["level"] = "error", ["msg"] = message, ["time"] = time }.ToJsonString()
            : $"time=\"{time}\" level=error msg=\"{message.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        try
        {
            File.AppendAllText(path, entry + "\n");
        }
        catch (IOException e)
        {
            Console.Error.WriteLine($"kist-rune: cannot write {path}: {e.Message}");
        }
    }
}
