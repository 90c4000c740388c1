using System.Reflection;

namespace Kist.Cli;

static class KistVersion
{
    public static string Text { get; } =
        typeof(KistVersion).Assembly.GetName().Version is { } v ? $"{v.Major}.{v.Minor}.{v.Build}" : "unknown";
}
