using System.Diagnostics;

namespace Kist.Linux.Tests;

/// <summary>A shared library that a test writes in C.</summary>
static class CLibrary
{
    private const string Compiler = "/usr/bin/clang";

    /// <summary>Compiles; the library's path in <paramref name="directory"/>.</summary>
    public static string Compile(string directory, string name, string source)
    {
        Assert.SkipUnless(File.Exists(Compiler), "clang is not installed");
        var path = Path.Combine(directory, name);
        File.WriteAllText(path + ".c", source);
        using var process = Process.Start(new ProcessStartInfo(Compiler, ["-O2", "-shared", "-fPIC", "-Wall", "-Werror", "-o", path, path + ".c"]) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
        return path;
    }
}
