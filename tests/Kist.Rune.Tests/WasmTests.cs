using System.Text;
using System.Text.Json.Nodes;

namespace Kist.Rune.Tests;

/// <summary>WebAssembly modules as programs of enclave containers; the image holds nothing else than the module.</summary>
public sealed class WasmTests : IDisposable
{
    private readonly RuneBundle _bundle = new();

    public WasmTests() => Assert.SkipUnless(
        File.Exists(Path.Combine(Path.GetDirectoryName(RuneBundle.Program)!, "wasm", "kist-wasm")), "kist-wasm is not built: run eng/build.sh");

    public void Dispose()
    {
        // A pod takes its bundle with it.
        if (Directory.Exists(_bundle.Path))
            _bundle.Dispose();
    }

    [Fact]
    public void Run_Module_WritesAndGivesItsExitStatus()
    {
        var run = Run(Module("hello from a module\n", exit: 7));
        Assert.True(run is { ExitCode: 7, Output: "hello from a module\n" }, run.All);
    }

    [Fact]
    public void Start_ModuleTamperedAfterMeasuring_DoesNotRun()
    {
        Write(Module("as measured\n", exit: 0));
        _bundle.Configure("/app.wasm");
        var id = _bundle.Create();
        Write(Module("as tampered\n", exit: 0));
        _bundle.Start(id);
        var output = _bundle.WaitFor(id, "stopped");
        Assert.Contains("refused /app.wasm: its SHA-256 is", output, StringComparison.Ordinal);
        Assert.DoesNotContain("tampered\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_NoModuleOrOneThatTraps_SaysWhy()
    {
        var broken = Run("no module"u8.ToArray());
        Assert.True(broken.ExitCode == 125 && broken.Error.Contains("compile module: /app.wasm", StringComparison.Ordinal), broken.All);
        var trapped = Run(Module("", exit: null));
        Assert.True(trapped.ExitCode == 125 && trapped.Error.Contains("run module: /app.wasm", StringComparison.Ordinal), trapped.All);
    }

    /// <summary>The limits are part of what is measured, so the machine that runs the module can neither lift nor tighten them.</summary>
    [Theory]
    [InlineData("fuel", "100000", "fuel")]
    [InlineData("seconds", "1", "interrupt")]
    [InlineData("memory", "1000", "memory")]
    public void Run_ModuleBeyondItsLimit_Ends(string limit, string value, string reason)
    {
        var loops = Module("", exit: null, loops: true);
        var run = Run(loops, c => c["annotations"]![$"kist.enclave.wasm.{limit}"] = value);
        Assert.True(run.ExitCode == 125 && run.Error.Contains(reason, StringComparison.Ordinal), run.All);
        Assert.NotEqual(MrEnclave(limit, value), MrEnclave(limit, value + "0"));
        var refused = Run(loops, c => c["annotations"]![$"kist.enclave.wasm.{limit}"] = "-1");
        Assert.True(refused.ExitCode == 1 && refused.Error.Contains("no whole number above 0", StringComparison.Ordinal), refused.All);
    }

    [Fact]
    public void Run_ModuleWithinItsLimits_GivesItsExitStatus()
    {
        var run = Run(Module("in time\n", exit: 3), c =>
        {
            c["annotations"]!["kist.enclave.wasm.fuel"] = "100000";
            c["annotations"]!["kist.enclave.wasm.seconds"] = "60";
            c["annotations"]!["kist.enclave.wasm.memory"] = "65536";
        });
        Assert.True(run is { ExitCode: 3, Output: "in time\n" }, run.All);
    }

    /// <summary>The module is the encrypted image's, the runtime the machine's; both are measured.</summary>
    [Fact]
    public async Task Run_ModuleOfAnEncryptedImage_IsDecryptedAndRuns()
    {
        await using var pod = await EncryptedImagePod.StartAsync(_bundle, module: Module("from an encrypted module\n", exit: 0));
        var application = pod.Application("application", ["/app.wasm"]);
        await pod.StartAgentAsync(pod.MrEnclave(application));
        Assert.Equal("from an encrypted module\n", pod.Run(application).Output);
    }

    private string MrEnclave(string limit, string value)
    {
        _bundle.Configure(["/app.wasm"], c => c["annotations"]![$"kist.enclave.wasm.{limit}"] = value);
        return _bundle.Require("measure", "--bundle", _bundle.Path).Output;
    }

    private ToolResult Run(byte[] module, Action<JsonObject>? change = null)
    {
        Write(module);
        _bundle.Configure(["/app.wasm"], change);
        return _bundle.Rune("run", "--bundle", _bundle.Path, _bundle.NewId());
    }

    private void Write(byte[] module) => File.WriteAllBytes(Path.Combine(_bundle.Root, "app.wasm"), module);

    /// <summary>
    /// A module by hand (WebAssembly core specification, chapter 5): _start writes a text by fd_write and ends by proc_exit, or
    /// traps, or loops. Memory: 0 the address and length of the text, 8 the count that was written, 16 the text.
    /// </summary>
    private static byte[] Module(string text, int? exit, bool loops = false)
    {
        var content = Encoding.UTF8.GetBytes(text);
        byte[] end = exit is { } status ? [0x41, (byte)status, 0x10, 1] : loops ? [0x03, 0x40, 0x0c, 0, 0x0b] : [0x00];
        byte[] code = [0, 0x41, 1, 0x41, 0, 0x41, 1, 0x41, 8, 0x10, 0, 0x1a, .. end, 0x0b];
        return
        [
            .. "\0asm"u8, 1, 0, 0, 0,
            .. Section(1, [3, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60, 1, 0x7f, 0, 0x60, 0, 0]),
            .. Section(2, [2, .. Name("wasi_snapshot_preview1"), .. Name("fd_write"), 0, 0, .. Name("wasi_snapshot_preview1"), .. Name("proc_exit"), 0, 1]),
            .. Section(3, [1, 2]),
            .. Section(5, [1, 0, 1]),
            .. Section(7, [2, .. Name("memory"), 2, 0, .. Name("_start"), 0, 2]),
            .. Section(10, [1, (byte)code.Length, .. code]),
            .. Section(11, [2, 0, 0x41, 0, 0x0b, 8, 16, 0, 0, 0, (byte)content.Length, 0, 0, 0, 0, 0x41, 16, 0x0b, (byte)content.Length, .. content]),
        ];
    }

    private static byte[] Section(byte id, byte[] content) => [id, (byte)content.Length, .. content];

    private static byte[] Name(string name) => [(byte)name.Length, .. Encoding.ASCII.GetBytes(name)];
}
