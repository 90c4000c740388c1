using Kist.Testing;

namespace Kist.Rune.Tests;

/// <summary>liberpal-kist.so, called from a program in C as rune calls enclave runtimes.</summary>
public sealed class PalTests : IDisposable
{
    private const string Caller = """
        #include <dlfcn.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <stdlib.h>
        struct init { const char *args, *log_level; int fd; uint64_t addr; };
        struct create { const char *path; const char **argv; const char **env; int *stdio; int *pid; };
        struct exec { int pid; int *exit_value; };
        int main(int argc, const char **argv)
        {
            void *pal = dlopen(argv[1], RTLD_NOW);
            if (!pal) { puts(dlerror()); return 99; }
            int (*version)(void) = dlsym(pal, "pal_get_version"), (*destroy)(void) = dlsym(pal, "pal_destroy");
            int (*init)(struct init *) = dlsym(pal, "pal_init"), (*create)(struct create *) = dlsym(pal, "pal_create_process");
            int (*exec)(struct exec *) = dlsym(pal, "pal_exec"), (*kill)(int, int) = dlsym(pal, "pal_kill");
            struct init i = { argv[2], "info", -1, 0 };
            int error;
            printf("version %d, before init %d\n", version(), kill(1, 9) < 0);
            if ((error = init(&i))) { printf("init %d\n", error); return 1; }
            int stdio[3] = { 0, 1, 2 }, pid = 0, exit_value = -1;
            const char *env[] = { "GREETING=good  day", 0 };
            struct create c = { argv[3], argv + 3, env, stdio, &pid };
            fflush(stdout);
            if ((error = create(&c))) { printf("create %d\n", error); return 2; }
            struct exec e = { pid, &exit_value };
            if ((error = exec(&e))) { printf("exec %d\n", error); return 3; }
            printf("exit value %d, unknown %d\n", exit_value, kill(77, 9) < 0);
            return destroy();
        }
        """;

    private readonly RuneBundle _bundle = new();
    private readonly string _caller;

    public PalTests()
    {
        Assert.SkipUnless(File.Exists(Library), "liberpal-kist.so is not built: run eng/build.sh");
        Assert.SkipUnless(File.Exists("/usr/bin/clang"), "clang is not installed");
        _caller = Path.Combine(_bundle.Path, "caller");
        File.WriteAllText(_caller + ".c", Caller);
        var compiled = Tool.Run("/usr/bin/clang", ["-o", _caller, _caller + ".c", "-ldl"]);
        Assert.True(compiled.ExitCode == 0, compiled.All);
    }

    private static string Library => Path.Combine(Evidence.RepositoryRoot, "artifacts", "bin", "liberpal-kist.so");

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public void Exec_FromAProgramInC_RunsInAnEnclave()
    {
        var run = Tool.Run(
            _caller,
            [
                Library, $"bundle={_bundle.Path} runtime={RuneBundle.Program} root={Path.Combine(_bundle.Path, "runtime")}",
                "/bin/sh", "-c", "echo \"$GREETING\"; cat /etc/greeting; exit 9",
            ],
            _bundle.Variables);
        Assert.True(run.ExitCode == 0, run.All);
        Assert.Equal("version 3, before init 1\ngood  day\nhello from a trusted file\nexit value 9, unknown 1\n", run.Output);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_bundle.State, "containers")).SelectMany(scope => Directory.GetDirectories(scope)));
    }

    [Fact]
    public void Init_WithoutABundle_GivesAnErrorNumberAndTheReason()
    {
        var run = Tool.Run(_caller, [Library, "bundle=/nowhere", "/bin/true"], _bundle.Variables);
        Assert.Equal((1, "version 3, before init 1\ninit -2\n"), (run.ExitCode, run.Output));
        Assert.Contains("liberpal-kist: pal_init: /nowhere is no bundle", run.Error, StringComparison.Ordinal);
    }
}
