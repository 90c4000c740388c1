using System.Diagnostics;

namespace Kist.KeyBroker.Tests;

/// <summary>A PostgreSQL server of the tests' own, from Debian's package, on a socket in a temporary folder.</summary>
public sealed class PostgresServer : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kist-postgres-").FullName;
    private readonly string? _binaries = Directory.Exists("/usr/lib/postgresql")
        ? Directory.EnumerateDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(d => Path.Combine(d, "bin")).LastOrDefault(d => File.Exists(Path.Combine(d, "initdb")))
        : null;

    private int _databases;
    private bool _started;

    /// <summary>An empty database's connection string; the running test is skipped where PostgreSQL is not installed.</summary>
    public string CreateDatabase()
    {
        Assert.SkipWhen(_binaries is null, "PostgreSQL is not installed");
        lock (_folder)
        {
            if (!_started)
                Start();
            var name = $"broker{++_databases}";
            Run("createdb", "-h", _folder, "-U", "postgres", name);
            return $"Host={_folder};Username=postgres;Database={name};Maximum Pool Size=16";
        }
    }

    public void Dispose()
    {
        if (_started)
            Run("pg_ctl", "-D", Path.Combine(_folder, "data"), "-m", "immediate", "-w", "stop");
        Directory.Delete(_folder, recursive: true);
    }

    private void Start()
    {
        // The server refuses to run as root.
        if (Environment.IsPrivilegedProcess)
            Execute("/usr/bin/chown", ["postgres", _folder]);
        var data = Path.Combine(_folder, "data");
        Run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        Run("pg_ctl", "-D", data, "-w", "-l", Path.Combine(_folder, "log"), "-o", $"-c listen_addresses='' -c unix_socket_directories='{_folder}' -c fsync=off", "start");
        _started = true;
    }

    private void Run(string program, params string[] arguments)
    {
        var path = Path.Combine(_binaries!, program);
        if (Environment.IsPrivilegedProcess)
            Execute("/usr/sbin/runuser", ["-u", "postgres", "--", path, .. arguments]);
        else
            Execute(path, arguments);
    }

    private void Execute(string program, string[] arguments)
    {
        // The server keeps its parent's output open, so it gets none.
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >\"$0\" 2>&1 </dev/null", Path.Combine(Path.GetTempPath(), $"{Path.GetFileName(_folder)}.out"), program, .. arguments])
        {
            WorkingDirectory = "/",
        })!;
        process.WaitForExit();
        var output = Path.Combine(Path.GetTempPath(), $"{Path.GetFileName(_folder)}.out");
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {(File.Exists(output) ? File.ReadAllText(output) : "")}");
        File.Delete(output);
    }
}
