using Kist.Formats;
using Kist.Linux.Enclaves;

namespace Kist.Linux.Tests;

/// <summary>Enclave runtimes in C, by the structures that rune and its runtimes use.</summary>
public sealed class EnclaveRuntimeLibraryTests : IDisposable
{
    private const string Runtime = """
        #include <stdint.h>
        #include <string.h>
        #include <unistd.h>
        #include <errno.h>
        struct init { const char *args, *log_level; int fd; uint64_t addr; };
        struct create { char *path; char **argv; char **env; struct { int in, out, err; } *stdio; int *pid; };
        struct exec { int pid; int *exit_value; };
        static int out, killed;
        int pal_get_version(void) { return VERSION; }
        int pal_init(const struct init *a) { return strcmp(a->args, "an argument") || strcmp(a->log_level, "info") || (VERSION == 3 && (a->fd != -1 || a->addr)) ? -EINVAL : 0; }
        int pal_create_process(struct create *a)
        {
            if (strcmp(a->path, "/bin/x") || strcmp(a->argv[1], "a  b") || a->argv[2] || strcmp(a->env[0], "N=v w") || a->env[1]) return -EINVAL;
            out = a->stdio->out;
            *a->pid = 17;
            return 0;
        }
        int pal_exec(struct exec *a) { if (a->pid != 17 || write(out, "ran", 3) != 3) return -ESRCH; *a->exit_value = 42; return 0; }
        int pal_kill(int pid, int sig) { killed = sig; return pid == 17 ? 0 : -ESRCH; }
        int pal_get_local_report(void *t, int tl, void *r, int *rl) { if (tl != 512 || *rl != 432) return -EINVAL; memset(r, ((char *)t)[0], 432); return 0; }
        int pal_destroy(void) { return 0; }
        """;

    private const string FirstRuntime = """
        #include <string.h>
        #include <unistd.h>
        struct init { const char *args, *log_level; };
        struct stdio { int in, out, err; };
        int pal_init(const struct init *a) { return strcmp(a->args, "an argument"); }
        int pal_exec(char *path, char *argv[], struct stdio *s, int *code) { *code = argv[1][0]; return write(s->out, "ran", 3) == 3 ? 0 : -5; }
        int pal_destroy(void) { return 0; }
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("kist-runtime-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Run_ProgramOfARuntime_GetsItsArgumentsAndGivesItsExitValue(int version)
    {
        using var runtime = Load(version);
        Assert.Equal(version, runtime.Version);
        runtime.Initialize("an argument", "info");
        Assert.Equal((42, "ran"), Run(runtime));
        Assert.Equal(17, runtime.LastProcess);
        runtime.Kill(17, 15);
        Assert.Equal(3, Assert.Throws<SystemCallException>(() => runtime.Kill(18, 15)).Errno);
        var target = new byte[512];
        target[0] = 7;
        Assert.All(runtime.GetLocalReport(target), b => Assert.Equal(7, b));
    }

    [Fact]
    public void Run_RuntimeOfTheFirstVersion_Works()
    {
        using var runtime = EnclaveRuntimeLibrary.Load(CLibrary.Compile(_directory, "first.so", FirstRuntime));
        Assert.Equal(1, runtime.Version);
        runtime.Initialize("an argument", "info");
        Assert.Equal(('a', "ran"), Run(runtime));
        Assert.Contains("no such function", Assert.Throws<OperationFailedException>(() => runtime.Kill(-1, 9)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Initialize_RuntimeRefuses_NamesTheFunction()
    {
        using var runtime = Load(3);
        var refused = Assert.Throws<SystemCallException>(() => runtime.Initialize("another", "info"));
        Assert.Contains("pal_init", refused.Message, StringComparison.Ordinal);
        Assert.Equal(Errno.EINVAL, refused.Errno);
    }

    [Fact]
    public void Load_UnknownVersionOrNoLibrary_IsRefused()
    {
        Assert.Contains("version 4", Assert.Throws<OperationFailedException>(() => Load(4)).Message, StringComparison.Ordinal);
        var text = Path.Combine(_directory, "text.so");
        File.WriteAllText(text, "no library");
        Assert.Throws<OperationFailedException>(() => EnclaveRuntimeLibrary.Load(text));
    }

    private (int, string) Run(EnclaveRuntimeLibrary runtime)
    {
        var path = Path.Combine(_directory, "output");
        using (var output = File.OpenHandle(path, FileMode.Create, FileAccess.Write))
        {
            var exit = runtime.Run("/bin/x", ["/bin/x", "a  b"], ["N=v w"], (0, (int)output.DangerousGetHandle(), 2));
            output.Dispose();
            return (exit, File.ReadAllText(path));
        }
    }

    private EnclaveRuntimeLibrary Load(int version) =>
        EnclaveRuntimeLibrary.Load(CLibrary.Compile(_directory, $"runtime{version}.so", $"#define VERSION {version}\n{Runtime}"));
}
