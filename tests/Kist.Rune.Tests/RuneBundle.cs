using System.Text.Json.Nodes;
using Kist.Testing;

namespace Kist.Rune.Tests;

/// <summary>
/// A bundle with busybox as its root, in a directory of its own together with kist-rune's state, so that nothing of the
/// machine's own is touched. Disposing kills and deletes its containers, and ends its platform.
/// </summary>
sealed class RuneBundle : IDisposable
{
    private const string Busybox = "/bin/busybox";

    private static readonly string[] s_applets = ["sh", "echo", "cat", "id", "sleep", "mount", "chroot", "true", "false", "touch", "ls", "dd", "head", "kill", "stty"];

    private readonly List<string> _containers = [];

    public RuneBundle()
    {
        Assert.SkipUnless(File.Exists(Program), "kist-rune is not built: run eng/build.sh");
        Assert.SkipUnless(Environment.UserName == "root", "containers need root here");
        Assert.SkipUnless(File.Exists(Busybox), "busybox-static is not installed");
        Path = Directory.CreateTempSubdirectory("kist-rune-").FullName;
        foreach (var directory in new[] { "bin", "etc", "proc", "dev", "sys", "tmp" })
            Directory.CreateDirectory(System.IO.Path.Combine(Root, directory));
        File.Copy(Busybox, System.IO.Path.Combine(Root, "bin", "busybox"));
        foreach (var applet in s_applets)
            File.CreateSymbolicLink(System.IO.Path.Combine(Root, "bin", applet), "busybox");
        File.WriteAllText(System.IO.Path.Combine(Root, "etc", "greeting"), "hello from a trusted file\n");
        Assert.Equal(0, Rune("spec", "--bundle", Path).ExitCode);
        Configure("/bin/true");
    }

    public static string Program => System.IO.Path.Combine(Evidence.RepositoryRoot, "artifacts", "bin", "kist-rune");

    public string Path { get; }

    public string Root => System.IO.Path.Combine(Path, "rootfs");

    public string State => System.IO.Path.Combine(Path, "state");

    public string Collateral => System.IO.Path.Combine(State, "platform", "collateral");

    public Dictionary<string, string> Variables => new() { ["KIST_RUNE_STATE"] = State };

    /// <summary>Sets the command line and changes the configuration.</summary>
    public void Configure(string[] args, Action<JsonObject>? change = null)
    {
        var path = System.IO.Path.Combine(Path, "config.json");
        var config = (JsonObject)JsonNode.Parse(File.ReadAllText(path))!;
        config["process"]!["terminal"] = false;
        config["process"]!["args"] = new JsonArray([.. args.Select(a => (JsonNode)a)]);
        change?.Invoke(config);
        File.WriteAllText(path, config.ToJsonString());
    }

    public void Configure(params string[] args) => Configure(args, null);

    /// <summary>Runs a shell script as the container's program.</summary>
    public ToolResult RunScript(string script, Action<JsonObject>? change = null)
    {
        Configure(["/bin/sh", "-c", script], change);
        return Rune("run", "--bundle", Path, NewId());
    }

    public ToolResult Rune(params string[] arguments) =>
        Tool.Run(Program, ["--root", System.IO.Path.Combine(Path, "runtime"), .. arguments], Variables);

    /// <summary>Another bundle with the same root, beneath this one's directory; its path.</summary>
    public string Derive(string name, string[] args, Action<JsonObject>? change = null)
    {
        var directory = Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;
        var config = (JsonObject)JsonNode.Parse(File.ReadAllText(System.IO.Path.Combine(Path, "config.json")))!;
        config["root"]!["path"] = Root;
        config["process"]!["args"] = new JsonArray([.. args.Select(a => (JsonNode)a)]);
        change?.Invoke(config);
        File.WriteAllText(System.IO.Path.Combine(directory, "config.json"), config.ToJsonString());
        return directory;
    }

    /// <summary>Creates a container of a derived bundle; what <see cref="Rune"/> of create said. Its output is in "output" of the bundle.</summary>
    public ToolResult Create(string bundle, string id)
    {
        _containers.Add(id);
        return Tool.Run(
            "/bin/sh", ["-c", "exec \"$0\" --root \"$1\" create --bundle \"$2\" \"$3\" </dev/null >\"$2/output\" 2>\"$2/error\"", Program, System.IO.Path.Combine(Path, "runtime"), bundle, id],
            Variables);
    }

    /// <summary>Creates a container whose output goes to a file; its identifier.</summary>
    public string Create()
    {
        var id = NewId();
        var result = Tool.Run(
            "/bin/sh", ["-c", "exec \"$0\" --root \"$1\" create --bundle \"$2\" --pid-file \"$2/pid\" \"$3\" </dev/null >\"$2/output\" 2>&1", Program, System.IO.Path.Combine(Path, "runtime"), Path, id],
            Variables);
        Assert.True(result.ExitCode == 0, result.All + Output);
        return id;
    }

    /// <summary>Starts a container that was created.</summary>
    public void Start(string id) => Require("start", id);

    /// <summary>What must succeed; if it does not, the test says what was said.</summary>
    public ToolResult Require(params string[] arguments)
    {
        var result = Rune(arguments);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.All}{Output}");
        return result;
    }

    public string Output => File.Exists(System.IO.Path.Combine(Path, "output")) ? File.ReadAllText(System.IO.Path.Combine(Path, "output")) : "";

    /// <summary>The first process of a container.</summary>
    public int PidOf(string id) => JsonNode.Parse(Require("state", id).Output)!["pid"]!.GetValue<int>();

    public int Pid => int.Parse(File.ReadAllText(System.IO.Path.Combine(Path, "pid")), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The host's directory that is mounted into a container.</summary>
    public string Share(string id) => Directory.GetDirectories(System.IO.Path.Combine(State, "containers"), id, SearchOption.AllDirectories).Single() + "/share";

    public string Status(string id) => JsonNode.Parse(Rune("state", id).Output)!["status"]!.GetValue<string>();

    public string WaitFor(string id, string status)
    {
        var actual = "";
        for (var i = 0; i < 600 && (actual = Status(id)) != status; i++)
            Thread.Sleep(50);
        Assert.True(actual == status, $"{id} is {actual}, not {status}: {Output}");
        return Output;
    }

    /// <summary>Waits until the enclave host answers.</summary>
    public void WaitForAgent(string id)
    {
        for (var i = 0; i < 200; i++)
        {
            if (Rune("attest", id).ExitCode == 0)
                return;
            Thread.Sleep(50);
        }

        Assert.Fail($"the enclave does not answer: {Output}");
    }

    /// <summary>Nothing of a container is left: files, sockets, mounts, cgroups, and processes or sealed programs that would live on.</summary>
    public void AssertNothingOf(string id)
    {
        var all = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true };
        foreach (var place in new[] { System.IO.Path.Combine(State, "containers"), System.IO.Path.Combine(Path, "runtime"), "/sys/fs/cgroup" })
            Assert.Empty(Directory.Exists(place) ? Directory.GetFileSystemEntries(place, id, all) : []);
        Assert.DoesNotContain(File.ReadLines("/proc/self/mountinfo"), l => l.Contains(id, StringComparison.Ordinal));
        Assert.Empty(ProcessTable.Find(id));
    }

    public string NewId()
    {
        var id = $"c{Guid.NewGuid():N}";
        _containers.Add(id);
        return id;
    }

    public void Dispose()
    {
        foreach (var id in _containers)
            Rune("delete", "--force", id);
        foreach (var platform in ProcessTable.Find($"platform\0--directory\0{State}"))
            Linux.Processes.Signals.Send(platform, Linux.Processes.Signals.Kill);
        Directory.Delete(Path, recursive: true);
    }
}
