using System.Runtime.InteropServices;
using System.Text;
using Kist.Formats;

namespace Kist.Linux.Wasm;

/// <summary>
/// Runs a WebAssembly module by Wasmtime's C API (wasmtime.h, wasi.h; the library libwasmtime lies beside the program). The
/// module has WASI preview 1 and nothing else: its arguments and environment, the three standard files, and one directory tree.
/// </summary>
public static unsafe partial class WasmModule
{
    private const string Library = "wasmtime";
    private const nuint ReadAndChange = 3; // WASMTIME_WASI_DIR_PERMS_READ | WRITE, and so for files
    private const int FunctionSize = 64; // wasmtime_func_t has 16 bytes

    /// <summary>Compiles and runs a module to its end; the exit status that it gave, 0 if it just returned.</summary>
    /// <param name="module">The module's bytes.</param>
    /// <param name="args">Its command line, its own name first.</param>
    /// <param name="environment">Its environment.</param>
    /// <param name="root">The directory that it sees as /.</param>
    /// <param name="limits">What it may use.</param>
    /// <exception cref="OperationFailedException">It is no valid module, imports something else than WASI, trapped, or went beyond a limit.</exception>
    public static int Run(
        ReadOnlySpan<byte> module, IReadOnlyList<string> args, IReadOnlyList<(string Name, string Value)> environment, string root, WasmLimits limits)
    {
        var engine = wasm_engine_new_with_config(Configure(limits));
        var store = wasmtime_store_new(engine, null, null);
        var context = wasmtime_store_context(store);
        var linker = wasmtime_linker_new(engine);
        void* compiled = null;
        try
        {
            Limit(store, context, limits);
            fixed (byte* bytes = module)
                Check(wasmtime_module_new(engine, bytes, (nuint)module.Length, &compiled), "compile module", args[0]);
            Check(wasmtime_context_set_wasi(context, Configure(args, environment, root)), "prepare module", args[0]);
            Check(wasmtime_linker_define_wasi(linker), "prepare module", args[0]);
            Check(wasmtime_linker_module(linker, context, null, 0, compiled), "link module", args[0]);
            var function = stackalloc byte[FunctionSize];
            Check(wasmtime_linker_get_default(linker, context, null, 0, function), "find start of module", args[0]);
            using var deadline = limits.Time is { } time ? new WasmDeadline((nint)engine, time) : null;
            return Call(context, function, args[0]);
        }
        finally
        {
            if (compiled is not null)
                wasmtime_module_delete(compiled);
            wasmtime_linker_delete(linker);
            wasmtime_store_delete(store);
            wasm_engine_delete(engine);
        }
    }

    /// <summary>Fuel and time are counted only where they are limited: counting costs.</summary>
    private static void* Configure(WasmLimits limits)
    {
        var configuration = wasm_config_new();
        wasmtime_config_consume_fuel_set(configuration, limits.Fuel is null ? (byte)0 : (byte)1);
        wasmtime_config_epoch_interruption_set(configuration, limits.Time is null ? (byte)0 : (byte)1);
        return configuration;
    }

    private static void Limit(void* store, void* context, WasmLimits limits)
    {
        const long usual = -1;
        if (limits.MemoryBytes is { } bytes)
            wasmtime_store_limiter(store, bytes, usual, usual, usual, usual);
        if (limits.Fuel is { } fuel)
            Check(wasmtime_context_set_fuel(context, (ulong)fuel), "limit module", "fuel");
        if (limits.Time is not null)
            wasmtime_context_set_epoch_deadline(context, 1);
    }

    private static int Call(void* context, byte* function, string name)
    {
        void* trap = null;
        var error = wasmtime_func_call(context, function, null, 0, null, 0, &trap);
        int status;
        // proc_exit arrives as an error with a status.
        if (error is not null && wasmtime_error_exit_status(error, &status) != 0)
        {
            wasmtime_error_delete(error);
            return status;
        }

        Check(error, "run module", name);
        if (trap is null)
            return 0;
        ByteVector text;
        wasm_trap_message(trap, &text);
        throw new OperationFailedException("run module", name, $"it trapped: {Take(&text)}");
    }

    private static void* Configure(IReadOnlyList<string> args, IReadOnlyList<(string Name, string Value)> environment, string root)
    {
        var wasi = wasi_config_new();
        var argv = Pointers(args);
        var names = Pointers(environment.Select(e => e.Name));
        var values = Pointers(environment.Select(e => e.Value));
        try
        {
            fixed (nint* a = argv, n = names, v = values)
            {
                if (wasi_config_set_argv(wasi, (nuint)argv.Length, a) == 0 || wasi_config_set_env(wasi, (nuint)names.Length, n, v) == 0)
                    throw new OperationFailedException("prepare module", args[0], "its arguments or environment are no valid texts");
            }

            wasi_config_inherit_stdin(wasi);
            wasi_config_inherit_stdout(wasi);
            wasi_config_inherit_stderr(wasi);
            return wasi_config_preopen_dir(wasi, root, "/", ReadAndChange, ReadAndChange) != 0
                ? wasi : throw new OperationFailedException("prepare module", root, "the directory cannot be opened");
        }
        finally
        {
            foreach (var text in argv.Concat(names).Concat(values))
                Marshal.FreeCoTaskMem(text);
        }
    }

    private static nint[] Pointers(IEnumerable<string> texts) => [.. texts.Select(Marshal.StringToCoTaskMemUTF8)];

    private static void Check(void* error, string step, string subject)
    {
        if (error is null)
            return;
        ByteVector text;
        wasmtime_error_message(error, &text);
        wasmtime_error_delete(error);
        throw new OperationFailedException(step, subject, Take(&text));
    }

    private static string Take(ByteVector* vector)
    {
        var text = Encoding.UTF8.GetString(vector->Data, (int)vector->Size).TrimEnd('\0', '\n');
        wasm_byte_vec_delete(vector);
        return text;
    }

    /// <summary>wasm_byte_vec_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ByteVector
    {
        public nuint Size;
        public byte* Data;
    }

    [LibraryImport(Library)]
    private static partial void* wasm_config_new();

    [LibraryImport(Library)]
    private static partial void wasmtime_config_consume_fuel_set(void* configuration, byte on);

    [LibraryImport(Library)]
    private static partial void wasmtime_config_epoch_interruption_set(void* configuration, byte on);

    [LibraryImport(Library)]
    private static partial void* wasm_engine_new_with_config(void* configuration);

    [LibraryImport(Library)]
    private static partial void wasmtime_store_limiter(void* store, long memoryBytes, long tableElements, long instances, long tables, long memories);

    [LibraryImport(Library)]
    private static partial void* wasmtime_context_set_fuel(void* context, ulong fuel);

    [LibraryImport(Library)]
    private static partial void wasmtime_context_set_epoch_deadline(void* context, ulong ticks);

    [LibraryImport(Library)]
    private static partial void wasm_engine_delete(void* engine);

    [LibraryImport(Library)]
    private static partial void* wasmtime_store_new(void* engine, void* data, void* finalizer);

    [LibraryImport(Library)]
    private static partial void wasmtime_store_delete(void* store);

    [LibraryImport(Library)]
    private static partial void* wasmtime_store_context(void* store);

    [LibraryImport(Library)]
    private static partial void* wasmtime_linker_new(void* engine);

    [LibraryImport(Library)]
    private static partial void wasmtime_linker_delete(void* linker);

    [LibraryImport(Library)]
    private static partial void* wasmtime_linker_define_wasi(void* linker);

    [LibraryImport(Library)]
    private static partial void* wasmtime_linker_module(void* linker, void* context, byte* name, nuint length, void* module);

    [LibraryImport(Library)]
    private static partial void* wasmtime_linker_get_default(void* linker, void* context, byte* name, nuint length, byte* function);

    [LibraryImport(Library)]
    private static partial void* wasmtime_module_new(void* engine, byte* wasm, nuint length, void** module);

    [LibraryImport(Library)]
    private static partial void wasmtime_module_delete(void* module);

    [LibraryImport(Library)]
    private static partial void* wasmtime_func_call(void* context, byte* function, void* args, nuint count, void* results, nuint resultCount, void** trap);

    [LibraryImport(Library)]
    private static partial void* wasmtime_context_set_wasi(void* context, void* wasi);

    [LibraryImport(Library)]
    private static partial byte wasmtime_error_exit_status(void* error, int* status);

    [LibraryImport(Library)]
    private static partial void wasmtime_error_message(void* error, ByteVector* message);

    [LibraryImport(Library)]
    private static partial void wasmtime_error_delete(void* error);

    [LibraryImport(Library)]
    private static partial void wasm_trap_message(void* trap, ByteVector* message);

    [LibraryImport(Library)]
    private static partial void wasm_byte_vec_delete(ByteVector* vector);

    [LibraryImport(Library)]
    private static partial void* wasi_config_new();

    [LibraryImport(Library)]
    private static partial byte wasi_config_set_argv(void* wasi, nuint count, nint* args);

    [LibraryImport(Library)]
    private static partial byte wasi_config_set_env(void* wasi, nuint count, nint* names, nint* values);

    [LibraryImport(Library)]
    private static partial void wasi_config_inherit_stdin(void* wasi);

    [LibraryImport(Library)]
    private static partial void wasi_config_inherit_stdout(void* wasi);

    [LibraryImport(Library)]
    private static partial void wasi_config_inherit_stderr(void* wasi);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte wasi_config_preopen_dir(void* wasi, string path, string guestPath, nuint directoryPermissions, nuint filePermissions);
}
