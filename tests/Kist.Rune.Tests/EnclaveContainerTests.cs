using System.Text.Json.Nodes;

namespace Kist.Rune.Tests;

/// <summary>Real containers in simulated enclaves, by the published program and the machine's own runc or crun.</summary>
public sealed class EnclaveContainerTests : IDisposable
{
    private readonly RuneBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public void Run_OrdinaryContainer_PassesThrough()
    {
        var result = _bundle.RunScript("echo ordinary; exit 5", c => c.Remove("annotations"));
        Assert.Equal(5, result.ExitCode);
        Assert.Equal("ordinary\n", result.Output);
    }

    [Fact]
    public void Run_EnclaveContainer_RunsTheProgramAndGivesItsExitCode()
    {
        var result = _bundle.RunScript("cat /etc/greeting; echo \"a  b\" | cat; read_only=$(touch /new 2>&1); echo \"$read_only\"; exit 7");
        Assert.True(result.ExitCode == 7, result.All);
        Assert.Equal("hello from a trusted file\na  b\ntouch: /new: Read-only file system\n", result.Output);
    }

    [Fact]
    public void Run_WritableRoot_KeepsWritesInTheEnclave()
    {
        var result = _bundle.RunScript("echo written > /etc/new && cat /etc/new", c => c["root"]!["readonly"] = false);
        Assert.True(result is { ExitCode: 0, Output: "written\n" }, result.All);
        Assert.False(File.Exists(Path.Combine(_bundle.Root, "etc", "new")));
    }

    [Fact]
    public void Start_FileTamperedAfterMeasuring_CannotBeOpened()
    {
        _bundle.Configure("/bin/sh", "-c", "cat /etc/greeting || echo unreadable");
        var id = _bundle.Create();
        File.WriteAllText(Path.Combine(_bundle.Root, "etc", "greeting"), "hello from the attacker!!\n");
        _bundle.Start(id);
        var output = _bundle.WaitFor(id, "stopped");
        Assert.DoesNotContain("attacker", output, StringComparison.Ordinal);
        Assert.Contains("refused /etc/greeting: its SHA-256 is", output, StringComparison.Ordinal);
        Assert.Contains("unreadable", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_FileTamperedAfterItWasOpened_HasNoEffect()
    {
        _bundle.Configure("/bin/sh", "-c", "cat /etc/greeting; sleep 2; cat /etc/greeting");
        var id = _bundle.Create();
        _bundle.Start(id);
        for (var i = 0; i < 100 && !_bundle.Output.Contains("trusted", StringComparison.Ordinal); i++)
            Thread.Sleep(20);
        File.WriteAllText(Path.Combine(_bundle.Root, "etc", "greeting"), "hello from the attacker!!\n");
        var output = _bundle.WaitFor(id, "stopped");
        Assert.EndsWith("hello from a trusted file\nhello from a trusted file\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_ProgramTampered_DoesNotRun()
    {
        _bundle.Configure("/bin/echo", "ran");
        var id = _bundle.Create();
        using (var file = File.OpenWrite(Path.Combine(_bundle.Root, "bin", "busybox")))
        {
            file.Seek(-1, SeekOrigin.End);
            file.WriteByte(0x5a);
        }

        _bundle.Start(id);
        var output = _bundle.WaitFor(id, "stopped");
        Assert.Contains("refused /bin/busybox", output, StringComparison.Ordinal);
        Assert.DoesNotContain("ran\n", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("manifest.json")]
    [InlineData("enclave.sigstruct")]
    public void Start_ManifestOrSignatureTampered_IsRefusedByThePlatform(string name)
    {
        _bundle.Configure("/bin/echo", "ran");
        var id = _bundle.Create();
        var path = Path.Combine(_bundle.Share(id), name);
        if (name == "manifest.json")
        {
            File.WriteAllText(path, File.ReadAllText(path).Replace("\"ran\"", "\"RAN\"", StringComparison.Ordinal));
        }
        else
        {
            var bytes = File.ReadAllBytes(path);
            bytes[970] ^= 1;
            File.WriteAllBytes(path, bytes);
        }

        _bundle.Start(id);
        var output = _bundle.WaitFor(id, "stopped");
        Assert.Contains("launch enclave", output, StringComparison.Ordinal);
        Assert.Contains("EINIT", output, StringComparison.Ordinal);
        Assert.DoesNotContain("ran\n", output, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("args", "process.args")]
    [InlineData("env", "process.env")]
    public void Create_BundleDiffersFromGivenManifest_IsRefusedByName(string member, string field)
    {
        _bundle.Configure("/bin/echo", "as measured");
        var id = _bundle.Create();
        var manifest = Path.Combine(_bundle.Path, "manifest.json");
        File.Copy(Path.Combine(_bundle.Share(id), "manifest.json"), manifest);
        _bundle.Configure(["/bin/echo", "as measured"], c => c["annotations"]!["kist.enclave.manifest"] = manifest);
        Assert.Equal("as measured\n", _bundle.Rune("run", "--bundle", _bundle.Path, _bundle.NewId()).Output);

        _bundle.Configure(
            ["/bin/echo", member == "args" ? "something else" : "as measured"],
            c =>
            {
                if (member == "env")
                    ((JsonArray)c["process"]!["env"]!).Add((JsonNode)"LD_PRELOAD=/evil.so");
            });
        var refused = _bundle.Rune("run", "--bundle", _bundle.Path, _bundle.NewId());
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"compare bundle with manifest: {field}", refused.Error, StringComparison.Ordinal);
    }

    /// <summary>Measured and signed beforehand, as where the bundle is trusted: the machine that runs it can only comply.</summary>
    [Fact]
    public void Measure_Bundle_PredictsTheMeasurementAndSignsIt()
    {
        _bundle.Configure("/bin/echo", "predicted");
        string File_(string name) => Path.Combine(_bundle.Path, name);
        using (var key = Kist.Enclaves.Signing.EnclaveSigningKey.Generate())
            File.WriteAllBytes(File_("key.pem"), key.ExportPem());
        var measured = _bundle.Rune(
            "measure", "--bundle", _bundle.Path, "--manifest-out", File_("m.json"), "--key", File_("key.pem"), "--sigstruct-out", File_("m.sig"), "--product", "2", "--svn", "3");
        Assert.True(measured.ExitCode == 0, measured.All);
        var output = JsonNode.Parse(measured.Output)!;
        _bundle.Configure(["/bin/echo", "predicted"], c =>
        {
            c["annotations"]!["kist.enclave.manifest"] = File_("m.json");
            c["annotations"]!["kist.enclave.sigstruct"] = File_("m.sig");
        });
        var id = _bundle.Create();
        Assert.Equal(
            output["mrenclave"]!.GetValue<string>(),
            JsonNode.Parse(_bundle.Rune("state", id).Output)!["annotations"]!["kist.enclave.mrenclave"]!.GetValue<string>());
        _bundle.Start(id);
        Assert.Equal("predicted\n", _bundle.WaitFor(id, "stopped"));
    }

    [Fact]
    public void Run_SystemCallsThatContainersDoNotNeed_AreRefused()
    {
        var result = _bundle.RunScript(
            "mount -t tmpfs none /tmp || echo no mount; chroot / /bin/true || echo no chroot; cat /proc/1/environ || echo no environ; ls /.kist 2>/dev/null || echo no host files");
        Assert.Equal("no mount\nno chroot\nno environ\nno host files\n", result.Output);
    }

    [Fact]
    public void Exec_CommandOfTheManifest_RunsAndOthersAreRefused()
    {
        _bundle.Configure(
            ["/bin/sleep", "60"],
            c => c["annotations"]!["kist.enclave.exec"] = "[[\"/bin/sh\",\"-c\",\"cat; echo $0 done; exit 3\"]]");
        var id = _bundle.Create();
        _bundle.Start(id);
        _bundle.WaitFor(id, "running");
        _bundle.WaitForAgent(id);
        var allowed = Tool.Run(
            RuneBundle.Program, ["--root", Path.Combine(_bundle.Path, "runtime"), "exec", id, "/bin/sh", "-c", "cat; echo $0 done; exit 3"], _bundle.Variables, "input\n");
        Assert.True(allowed is { ExitCode: 3, Output: "input\n/bin/sh done\n" }, allowed.All);
        var refused = _bundle.Rune("exec", id, "/bin/sh");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("the manifest does not list this command line", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Kill_EnclaveHostAtOnce_LeavesNothingBehind()
    {
        _bundle.Configure("/bin/sleep", "987");
        var id = _bundle.Create();
        _bundle.Start(id);
        _bundle.WaitFor(id, "running");
        _bundle.WaitForAgent(id);
        Linux.Processes.Signals.Send(_bundle.Pid, 9);
        _bundle.WaitFor(id, "stopped");
        // The state is that of the first thread; the kernel ends the rest of the namespace with the last one.
        for (var i = 0; i < 200 && ProcessTable.Find("sleep\0987").Any(); i++)
            Thread.Sleep(50);
        Assert.Empty(ProcessTable.Find("sleep\0987"));
        _bundle.Require("delete", id);
        Assert.NotEqual(0, _bundle.Rune("state", id).ExitCode);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_bundle.State, "containers"), id, SearchOption.AllDirectories));
        Assert.DoesNotContain(File.ReadLines("/proc/self/mountinfo"), l => l.Contains(id, StringComparison.Ordinal));
    }

    [Fact]
    public void Create_ThenDeleteWithoutStart_LeavesNothingBehind()
    {
        _bundle.Configure("/bin/sleep", "988");
        var id = _bundle.Create();
        Assert.Equal("created", _bundle.Status(id));
        _bundle.Require("delete", "--force", id);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_bundle.State, "containers"), id, SearchOption.AllDirectories));
    }

    [Fact]
    public void Create_RuntimeFails_NamesTheStepAndLeavesNothingBehind()
    {
        _bundle.Configure(["/bin/true"], c => c["linux"]!["namespaces"] = new JsonArray(new JsonObject { ["type"] = "mount" }));
        var id = _bundle.NewId();
        var result = _bundle.Rune("create", "--bundle", _bundle.Path, id);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("rewrite bundle: linux.namespaces", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_bundle.State, "containers"), id, SearchOption.AllDirectories));
    }

    [Fact]
    public void Memory_OfTheEnclave_IsClosedToAnOrdinaryUser()
    {
        _bundle.Configure("/bin/sleep", "60");
        var id = _bundle.Create();
        _bundle.Start(id);
        _bundle.WaitForAgent(id);
        foreach (var file in new[] { "mem", "environ", "maps" })
        {
            var read = Tool.Run("/usr/bin/setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", "head", "-c", "1", $"/proc/{_bundle.Pid}/{file}"]);
            Assert.NotEqual(0, read.ExitCode);
            Assert.Contains("Permission denied", read.Error, StringComparison.Ordinal);
        }
    }

    /// <summary>
    /// A thread of the host under its programs' filter would wait for ever for the file guard that it belongs to; and none
    /// may mount any more once the root stands.
    /// </summary>
    [Fact]
    public void Threads_OfTheHost_HaveNeitherTheProgramsRestrictionsNorTheRightToMount()
    {
        const ulong administration = 1UL << 21;
        _bundle.Configure(["/bin/sleep", "60"], c => c["annotations"]!["kist.enclave.exec"] = "[[\"/bin/cat\",\"/etc/greeting\"]]");
        var id = _bundle.Create();
        _bundle.Start(id);
        _bundle.WaitForAgent(id);
        for (var i = 0; i < 4; i++)
            Assert.Equal("hello from a trusted file\n", _bundle.Require("exec", id, "/bin/cat", "/etc/greeting").Output);
        var threads = Directory.GetDirectories($"/proc/{_bundle.Pid}/task");
        Assert.True(threads.Length > 5);
        foreach (var thread in threads)
        {
            var name = File.ReadAllText(Path.Combine(thread, "comm")).Trim();
            var status = ProcessStatus.Parse(File.ReadAllText(Path.Combine(thread, "status")));
            Assert.True((status["Seccomp"] == "2") == (name == "starter"), $"{name}: Seccomp {status["Seccomp"]}");
            Assert.True((status["NoNewPrivs"] == "1") == (name == "starter"), $"{name}: NoNewPrivs {status["NoNewPrivs"]}");
            foreach (var set in new[] { "CapEff", "CapPrm", "CapBnd" })
                Assert.True((Convert.ToUInt64(status[set], 16) & administration) == 0, $"{name}: {set} {status[set]}");
        }
    }

    /// <summary>CAP_CHOWN and CAP_NET_BIND_SERVICE are bits 0 and 10.</summary>
    [Theory]
    [InlineData(0, "0000000000000401")]
    [InlineData(1000, "0000000000000000")]
    public void Capabilities_OfTheProgram_AreThoseOfTheSpecification(int user, string effective)
    {
        var result = _bundle.RunScript("cat /proc/self/status", c =>
        {
            c["process"]!["user"] = new JsonObject { ["uid"] = user, ["gid"] = user };
            var sets = c["process"]!["capabilities"]!.AsObject();
            foreach (var set in sets.Select(s => s.Key).ToArray())
                sets[set] = new JsonArray("CAP_NET_BIND_SERVICE", "CAP_CHOWN");
        });
        Assert.True(result.ExitCode == 0, result.All);
        var status = ProcessStatus.Parse(result.Output);
        Assert.Equal(effective, status["CapEff"]);
        Assert.Equal(effective, status["CapPrm"]);
        Assert.Equal("0000000000000401", status["CapBnd"]);
        Assert.Equal(0UL, Convert.ToUInt64(status["CapInh"], 16) | Convert.ToUInt64(status["CapAmb"], 16));
        Assert.Equal("1", status["NoNewPrivs"]);
    }

    /// <summary>Measured and signed once; a changed entry of the cache is made anew, and nothing of it runs.</summary>
    [Fact]
    public void Create_TheSameApplicationAgain_UsesTheSignedEnclaveOnlyIfItIsAsWritten()
    {
        string[] Entries() => Directory.GetFiles(Path.Combine(_bundle.State, "signed"), "*.enclave");
        Assert.Equal("again\n", _bundle.RunScript("echo again").Output);
        var entry = Assert.Single(Entries());
        var genuine = File.ReadAllBytes(entry);
        Assert.Equal("again\n", _bundle.RunScript("echo again").Output);
        Assert.Single(Entries());
        var changed = genuine.ToArray();
        changed[50] ^= 1;
        File.WriteAllBytes(entry, changed);
        var run = _bundle.RunScript("echo again");
        Assert.True(run is { ExitCode: 0, Output: "again\n" }, run.All);
        Assert.Contains("made anew", run.Error, StringComparison.Ordinal);
        Assert.Equal(genuine, File.ReadAllBytes(entry));
    }

    /// <summary>Neither the enclave host nor its program: PTRACE_ATTACH and process_vm_readv are refused (EPERM is 1).</summary>
    [Fact]
    public void Tracing_OfTheEnclave_IsRefusedToAnOrdinaryUser()
    {
        const string script = """
            import ctypes, sys
            libc = ctypes.CDLL(None, use_errno=True)
            buffer = ctypes.create_string_buffer(16)
            class Vector(ctypes.Structure):
                _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
            own, other = Vector(ctypes.addressof(buffer), 16), Vector(0x400000, 16)
            for process in map(int, sys.argv[1:]):
                print(libc.ptrace(16, process, None, None), ctypes.get_errno())
                print(libc.process_vm_readv(process, ctypes.byref(own), 1, ctypes.byref(other), 1, 0), ctypes.get_errno())
            """;
        const string python = "/usr/bin/python3";
        Assert.SkipUnless(File.Exists(python), "python3 is not installed");
        _bundle.Configure("/bin/sleep", "983");
        var id = _bundle.Create();
        _bundle.Start(id);
        _bundle.WaitForAgent(id);
        for (var i = 0; i < 200 && !ProcessTable.Find("sleep\0983").Any(); i++)
            Thread.Sleep(50);
        var traced = Tool.Run(
            "/usr/bin/setpriv",
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", python, "-c", script, $"{_bundle.Pid}", $"{ProcessTable.Find("sleep\0983").Single()}"]);
        Assert.True(traced is { ExitCode: 0, Output: "-1 1\n-1 1\n-1 1\n-1 1\n" }, traced.All);
    }

    [Fact]
    public void Features_And_Spec_AreRunesWithAnnotations()
    {
        Assert.Contains("kist.enclave.types", _bundle.Rune("features").Output, StringComparison.Ordinal);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(_bundle.Path, "config.json")))!;
        Assert.Equal("intelSgx", config["annotations"]!["enclave.type"]!.GetValue<string>());
    }
}
